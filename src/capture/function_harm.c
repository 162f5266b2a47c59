/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/function_harm.h"

#include <stddef.h>
#include <string.h>

#include "base/glob.h"
#include "base/memory.h"

#define SYMBOL_MAX 64 /* no name of the table is longer */

static const struct function_harm harms[] = {
	{"_start __libc_start_main* __libc_start_call_main __libc_start_init _start_c",
	 "the whole program runs inside of it", true},
	{"setjmp _setjmp sigsetjmp __sigsetjmp __sigsetjmp_tail getcontext __getcontext",
	 "it returns a second time, to an address that it has kept", true},
	{"longjmp _longjmp siglongjmp __libc_longjmp __libc_siglongjmp __longjmp ____longjmp_chk "
	 "__longjmp_chk _longjmp_unwind _setjmp_unwind",
	 "it never returns to its caller", true},
	{"swapcontext __swapcontext setcontext __setcontext makecontext __makecontext "
	 "__start_context __push___start_context",
	 "it changes to another stack", true},
	{"vfork __vfork __libc_vfork clone __clone clone3 __clone3 __clone_internal "
	 "__clone_internal_fallback __clone2",
	 "it returns twice, or on another stack", true},
	{"_Unwind_* unw_* _Ux86_64_* _ULx86_64_* __cxa_throw __cxa_rethrow __gxx_personality_* "
	 "__gcc_personality_* rust_eh_personality __libunwind_* uw_*",
	 "it reads return addresses, and probes replace them", true},
	{"__restore_rt __kernel_rt_sigreturn", "nobody calls it: a signal handler ends there",
	 true},
	{"mcount _mcount __fentry__ __cyg_profile_func_*", "it belongs to another tracer", true},
	{"__x86_return_thunk __x86_indirect_thunk_* __x86_indirect_call_* __llvm_retpoline_*",
	 "it is no call: it jumps by its return address", true},
	{"_dl_runtime_resolve* _dl_runtime_profile* _dl_tlsdesc_* _dl_fixup _dl_start* "
	 "_dl_trampoline*",
	 "it stands between a caller and the function that is called", true},
	{"__morestack __morestack_*", "it changes to another stack", true},
	{"frame_dummy register_tm_clones deregister_tm_clones __do_global_dtors_aux "
	 "_dl_relocate_static_pie __libc_csu_init __libc_csu_fini",
	 "the compiler adds it to every program, and nobody wrote it", false},
};

const struct function_harm function_harm_linker = {
	"", "it works for the functions that are traced, before they are called", false};

static bool is_one_of(const char *names, const char *symbol)
{
	while (*names) {
		size_t size = strcspn(names, " ");
		char glob[SYMBOL_MAX];

		if (size < sizeof(glob)) {
			memcpy(glob, names, size);
			glob[size] = '\0';
			if (glob_matches(glob, symbol))
				return true;
		}
		names += size;
		names += strspn(names, " ");
	}
	return false;
}

const struct function_harm *function_harm_find(const char *symbol)
{
	for (size_t i = 0; i < ARRAY_SIZE(harms); i++) {
		if (is_one_of(harms[i].names, symbol))
			return &harms[i];
	}
	return NULL;
}

bool function_harm_is_linker(const char *path, const char *soname)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	return glob_matches("ld-*.so*", base) || glob_matches("ld-*.so*", soname) ||
	       glob_matches("ld.so*", base) || glob_matches("ld-musl-*", base);
}
