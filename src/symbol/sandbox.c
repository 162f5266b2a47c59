/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"

#define NOBODY 65534

/* Room for the largest debug files; a bomb ends here. */
#define ADDRESS_SPACE_BYTES (UINT64_C(4) << 30)
#define OPEN_FILES          4096

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "sandbox.c: this machine's AUDIT_ARCH_ is not known yet"
#endif

/* The address sanitizer wants terabytes of address space, and its reports want a place to go. */
#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

void sandbox_close_files(int keep)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd <= 2 && null >= 0; fd++) {
		if (fd != keep && !(fd == 2 && HAS_SANITIZER))
			dup2(null, fd);
	}
	if (keep > 3)
		close_range(3, (unsigned int)keep - 1, 0);
	close_range(keep < 3 ? 3 : (unsigned int)keep + 1, ~0U, 0);
}

static int set_limits(void)
{
	struct {
		int resource;
		rlim_t value;
	} limits[] = {
		{RLIMIT_AS, HAS_SANITIZER ? RLIM_INFINITY : ADDRESS_SPACE_BYTES},
		{RLIMIT_FSIZE, 0},
		{RLIMIT_CORE, 0},
		{RLIMIT_NPROC, 0},
		{RLIMIT_NOFILE, OPEN_FILES},
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit limit;

		if (getrlimit((__rlimit_resource_t)limits[i].resource, &limit))
			return -errno;
		if (limits[i].value < limit.rlim_max)
			limit.rlim_max = limits[i].value;
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit((__rlimit_resource_t)limits[i].resource, &limit))
			return -errno;
	}
	return 0;
}

/* Becomes nobody if that is allowed, and loses all capabilities in any case. */
static int drop_identity(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{.effective = 0}};

	if (geteuid() == 0) {
		/* Root without these capabilities has them refused; the filter holds all the same.
		 */
		if ((setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
		     setresuid(NOBODY, NOBODY, NOBODY)) &&
		    errno != EPERM)
			return -errno;
	}
	if (syscall(SYS_capset, &header, none))
		return -errno;
	return 0;
}

/* System calls that the reader may make. */
static const int allowed[] = {
	SYS_read,       SYS_pread64,      SYS_lseek,           SYS_fstat,        SYS_recvmsg,
	SYS_sendmsg,    SYS_munmap,       SYS_mremap,          SYS_madvise,      SYS_brk,
	SYS_close,      SYS_exit,         SYS_exit_group,      SYS_futex,        SYS_clock_gettime,
	SYS_getpid,     SYS_gettid,       SYS_getrandom,       SYS_sysinfo,      SYS_getrlimit,
	SYS_prlimit64,  SYS_rt_sigreturn, SYS_restart_syscall,
#if HAS_SANITIZER
	SYS_write,      SYS_sched_yield,  SYS_sigaltstack,     SYS_rt_sigaction, SYS_rt_sigprocmask,
#endif
#ifdef SYS_newfstatat
	SYS_newfstatat, /* how newer C libraries spell fstat */
#endif
};

/* Those that libraries try and do without: they are refused, not punished. */
static const int refused[] = {
	SYS_openat, SYS_openat2, SYS_readlinkat, SYS_faccessat, SYS_fcntl,
	SYS_ioctl,  SYS_getcwd,  SYS_statx,      SYS_write,
#ifdef SYS_open
	SYS_open,   SYS_access,  SYS_readlink,   SYS_stat,      SYS_lstat,
#endif
};

/* Fine unless they make memory executable: their third argument says. */
static const int without_exec[] = {SYS_mmap, SYS_mprotect};

#define LOAD(member)    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define RETURN(value)   BPF_STMT(BPF_RET | BPF_K, value)
#define IS_CALL(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(number), 0, 1)

#define FILTER_SIZE 160

static int enter_filter(void)
{
	struct sock_filter filter[FILTER_SIZE] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
	};
	struct sock_fprog program = {.filter = filter, .len = 4};
	const struct sock_filter exec_test[] = {
		/* the number is still loaded; the tests below replace it, so they return */
		LOAD(args[2]),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
		RETURN(SECCOMP_RET_ERRNO | EPERM),
		RETURN(SECCOMP_RET_ALLOW),
	};

	for (size_t i = 0; i < ARRAY_SIZE(without_exec); i++) {
		filter[program.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
								     (uint32_t)without_exec[i], 0,
								     ARRAY_SIZE(exec_test));
		for (size_t j = 0; j < ARRAY_SIZE(exec_test); j++)
			filter[program.len++] = exec_test[j];
	}
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		filter[program.len++] = (struct sock_filter)IS_CALL(allowed[i]);
		filter[program.len++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		filter[program.len++] = (struct sock_filter)IS_CALL(refused[i]);
		filter[program.len++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
	}
	filter[program.len++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -errno : 0;
}

int sandbox_enter(void)
{
	int err = set_limits();

	if (!err)
		err = drop_identity();
	/* After the change of identity, which resets both of the first two. */
	if (!err && (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 0) ||
		     prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)))
		err = -errno;
	if (!err)
		err = enter_filter();
	return err;
}
