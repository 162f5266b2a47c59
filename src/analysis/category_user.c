/* SPDX-License-Identifier: BSD-2-Clause */
/* User functions that wait for others, in the C library and in languages' runtimes. */
#include <string.h>

#include "analysis/category_table.h"
#include "analysis/category_words.h"
#include "base/memory.h"

struct futex_row {
	const char *functions; /* as in struct category_row */
	enum futex_word says;
};

/* Names as demangled, up to the first blank or template. */
static const struct futex_row futex_rows[] = {
	/* C */
	{"pthread_mutex_* __pthread_mutex_* ___pthread_mutex_* pthread_rwlock_* __pthread_rwlock_* "
	 "___pthread_rwlock_* pthread_spin_lock __lll_* __lll_lock_wait* _IO_lock_lock flockfile "
	 "_IO_flockfile mtx_lock mtx_timedlock __lock lll_lock "
	 "__cxa_guard_acquire",
	 FUTEX_SAYS_LOCK},
	{"pthread_cond_* __pthread_cond_* ___pthread_cond_* cnd_wait cnd_timedwait",
	 FUTEX_SAYS_BOTH},
	{"sem_wait sem_timedwait sem_clockwait __new_sem_* __sem_wait* pthread_join "
	 "pthread_timedjoin* pthread_clockjoin* __pthread_timedjoin* __pthread_clockjoin* "
	 "__pthread_join* ___pthread_join thrd_join pthread_barrier_wait __pthread_barrier_* "
	 "___pthread_barrier_* pthread_once __pthread_once* aio_suspend",
	 FUTEX_SAYS_CONDITION},
	/* allocators */
	{"je_malloc_mutex_lock_slow malloc_mutex_lock* _rjem_je_malloc_mutex_lock_slow "
	 "je_malloc_mutex_* tcmalloc::* SpinLock::SlowLock* base::internal::SpinLockDelay* "
	 "arena_get2 arena_get_retry ptmalloc_*",
	 FUTEX_SAYS_LOCK},
	/* C++ */
	{"std::mutex::lock* std::recursive_mutex::lock* std::timed_mutex::* std::shared_mutex::* "
	 "std::shared_timed_mutex::* std::__1::mutex::lock* std::__1::recursive_mutex::lock* "
	 "std::__1::shared_mutex::* absl::Mutex::Lock* absl::Mutex::ReaderLock* "
	 "absl::base_internal::SpinLock* AbslInternalSpinLockDelay* folly::SharedMutexImpl* "
	 "folly::MicroLock* folly::SpinLock* WTF::LockAlgorithm* WTF::Lock::lock*",
	 FUTEX_SAYS_LOCK},
	{"std::condition_variable* std::__1::condition_variable* absl::CondVar* "
	 "absl::Notification* absl::BlockingCounter* absl::Mutex::Await* std::thread::join* "
	 "std::__1::thread::join* std::__atomic_futex_unsigned_base* std::counting_semaphore* "
	 "std::future* folly::Baton* folly::detail::futexWait*",
	 FUTEX_SAYS_CONDITION},
	/* Rust */
	{"std::sys::sync::mutex* std::sys::sync::rwlock* std::sys::unix::locks::futex_mutex* "
	 "std::sys::unix::locks::futex_rwlock* std::sys_common::mutex* parking_lot::raw_mutex* "
	 "parking_lot::raw_rwlock* std::sys::pal::unix::sync::mutex*",
	 FUTEX_SAYS_LOCK},
	{"std::sys::sync::condvar* std::sys::unix::locks::futex_condvar* "
	 "std::sys::sync::thread_parking* std::sys_common::thread_parking* std::thread::park* "
	 "std::thread::Thread::park* std::sys::sync::once* parking_lot::condvar* "
	 "crossbeam_channel::* std::sync::mpmc* std::sync::mpsc* tokio::runtime::*",
	 FUTEX_SAYS_CONDITION},
	/* Go: goroutines wait without a thread, so these are the runtime's own */
	{"runtime.lock runtime.lock2 runtime.lockWithRank", FUTEX_SAYS_LOCK},
	{"runtime.notesleep runtime.notetsleep* runtime.mPark runtime.stopm runtime.findRunnable "
	 "runtime.findrunnable runtime.semasleep",
	 FUTEX_SAYS_CONDITION},
	/* Java, Python, node */
	{"ObjectMonitor::enter* ObjectMonitor::EnterI* JVM_MonitorEnter "
	 "SharedRuntime::complete_monitor_locking* Monitor::lock* Mutex::lock* Mutex::lock_contended*",
	 FUTEX_SAYS_LOCK},
	{"Parker::park* Unsafe_Park* ObjectMonitor::wait* Monitor::wait* os::PlatformEvent::park* "
	 "PlatformMonitor::wait* SafepointSynchronize::block* WaitBarrier* LinuxWaitBarrier::wait*",
	 FUTEX_SAYS_CONDITION},
	{"take_gil PyEval_RestoreThread PyEval_AcquireThread PyMutex_LockTimed _PyMutex_LockTimed",
	 FUTEX_SAYS_LOCK},
	{"PyThread_acquire_lock* _PySemaphore_* _PyParkingLot_Park uv_cond_wait uv_sem_wait uv_barrier_wait "
	 "v8::base::ConditionVariable::*",
	 FUTEX_SAYS_CONDITION},
	{"uv_mutex_lock uv_rwlock_* v8::base::Mutex::Lock* v8::base::RecursiveMutex::Lock*",
	 FUTEX_SAYS_LOCK},
};

static const struct futex_row *find_row(const char *function)
{
	static const struct futex_row none = {"", FUTEX_SAYS_NOTHING};

	for (size_t i = 0; i < ARRAY_SIZE(futex_rows); i++) {
		if (function_is_one_of(function, futex_rows[i].functions))
			return &futex_rows[i];
	}
	return &none;
}

enum futex_word futex_word_of(const struct place *place)
{
	const void **note = model_place_note(place);

	/* that of a kernel function is another table's, see category_row_of */
	if (place->is_kernel)
		return FUTEX_SAYS_NOTHING;
	if (!*note)
		*note = find_row(place->function);
	return ((const struct futex_row *)*note)->says;
}

/* By the file's name: what a program only calls. */
static bool is_library(const char *module)
{
	return function_is_one_of(
		module,
		"libc ld-linux-x86-64 ld-linux-aarch64 ld-linux* ld-musl-* libc-2 libpthread-2 "
		"librt-2 libpthread librt libm libgcc_s libstdc++ libc++ libc++abi [vdso] "
		"linux-vdso linux-gate");
}

bool is_user_plumbing(const struct place *place)
{
	if (is_library(place->module))
		return true;
	return futex_word_of(place) != FUTEX_SAYS_NOTHING ||
	       function_is_one_of(
		       place->function,
		       /* a C library inside of the program */
		       "__libc_* __GI_* __syscall* syscall __futex_* futex_wait* clone clone3 "
		       "__clone* start_thread _start __internal_syscall_cancel __syscall_cancel* "
		       "clock_nanosleep __clock_nanosleep* nanosleep __nanosleep* usleep sleep "
		       "__sleep read __read write __write pread64 __pread64* pwrite64 "
		       "__pwrite64* readv writev recv __recv recvfrom __recvfrom recvmsg "
		       "__recvmsg send __send sendto __sendto sendmsg __sendmsg accept accept4 "
		       "__accept* connect __connect poll __poll ppoll __ppoll select __select "
		       "pselect __pselect* epoll_wait epoll_pwait* wait4 __wait4* waitpid "
		       "__waitpid waitid __waitid fsync __fsync fdatasync __fdatasync open "
		       "open64 __open64* openat openat64 close __close flock fcntl fcntl64 "
		       "ioctl __ioctl sigsuspend sigwait* __sigtimedwait* pause "
		       /* runtimes */
		       "runtime.* internal/runtime/* syscall.* internal/poll.* internal/syscall/* "
		       "golang.org/x/sys/unix.* sync.* time.Sleep "
		       "std::sys::* std::thread::* std::sync::* core::* std::rt::* std::panic* "
		       "std::this_thread::* std::__* "
		       "os::* JVM_* Java_jdk_internal_misc_Unsafe_park "
		       "jdk.internal.misc.Unsafe.park java.util.concurrent.locks.* "
		       "java.lang.Object.wait* java.lang.Thread.sleep* "
		       "uv__io_poll uv__epoll_wait");
}

/* ---- locks of libraries, by the functions that take them ---- */

const char *user_lock_taken_by(const char *function)
{
	static const struct {
		const char *functions;
		const char *name;
	} rows[] = {
		{"malloc calloc realloc free cfree memalign aligned_alloc posix_memalign valloc "
		 "__libc_malloc __libc_calloc __libc_realloc __libc_free _int_malloc _int_free "
		 "arena_get2* tcache_init* malloc_consolidate malloc_trim sysmalloc",
		 "lock of malloc"},
		{"printf fprintf vfprintf __vfprintf_internal fputs puts putchar putc fputc fwrite fflush fread fgets "
		 "getline getdelim getc fgetc fclose fseek flockfile _IO_* perror",
		 "lock of stdio"},
		{"dlopen dlclose dlsym dl_iterate_phdr _dl_* __tls_get_addr",
		 "lock of the dynamic loader"},
		{"localtime localtime_r mktime tzset strftime __tz_convert",
		 "lock of the time zone"},
		{"__cxa_guard_acquire", "lock of a static variable that is being made"},
		{"take_gil PyEval_RestoreThread PyEval_AcquireThread PyGILState_Ensure",
		 "global lock of Python (GIL)"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (function_is_one_of(function, rows[i].functions))
			return rows[i].name;
	}
	return NULL;
}

bool asks_a_server(const char *function)
{
	return function_is_one_of(
		function,
		"getaddrinfo gethostbyname* gethostbyaddr* getnameinfo res_query res_search res_nquery "
		"res_nsearch res_send res_nsend __res_context_* ares_gethostbyname* "
		"curl_easy_perform PQconnectdb PQexec* PQgetResult mysql_real_connect mysql_real_query "
		"redisCommand* redisGetReply ldap_result SSL_connect");
}

bool is_shell_module(const char *module)
{
	return function_is_one_of(module, "bash dash sh zsh ksh mksh fish busybox");
}
