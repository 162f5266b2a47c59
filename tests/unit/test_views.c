/* SPDX-License-Identifier: BSD-2-Clause */
/* The views: a recording, a report's name, and what must be printed. */
#include "unit/unit.h"

#include "support/fixture.h"

/* The four add up to 17 ms for each thread, but for hog, which ended after 9. */
static void test_threads(void **state)
{
	struct fixture f = fixture_open(fixture_waits_story);

	(void)state;
	fixture_check_report(
		&f, "threads", NULL,
		"comm    tid  pid   on cpu  runnable  blocked  unknown  switches  preemptions  longest wait  longest runnable\n"
		"hog      20   20  9.00 ms      0 ns     0 ns     0 ns         0            0          0 ns              0 ns\n"
		"main     10   10  7.70 ms   2.10 ms  7.20 ms     0 ns         5            0       4.00 ms           2.00 ms\n"
		"worker   11   10  4.00 ms      0 ns  12.0 ms  1.00 ms         1            0          0 ns              0 ns\n"
		"sum over 3 rows: on cpu 20.7 ms, runnable 2.10 ms, blocked 19.2 ms, unknown 1.00 ms\n"
		"\n"
		"lost: nothing\n");
	fixture_close(&f);
}

/* 21.3 ms: the runnable and blocked time of all threads, short waits included. */
static void test_offcpu(void **state)
{
	struct fixture f = fixture_open(fixture_waits_story);

	(void)state;
	fixture_check_report(
		&f, "offcpu", NULL,
		"    total    share       waits\n"
		"  21.3 ms  100.0 %           4  all\n"
		"  12.0 ms   56.3 %           1  ├─ worker > [not over at the end of the recording]\n"
		"  9.00 ms   42.3 %           3  ├─ main > main\n"
		"  5.00 ms   23.5 %           2  │  ├─ fill > read > do_syscall_64 > pipe_read\n"
		"  4.00 ms   18.8 %           1  │  └─ work > lock > do_syscall_64 > futex_wait\n"
		"   300 us    1.4 %           -  └─ [shorter than 1 ms: no stack taken]\n"
		"\n"
		"waits shorter than 1 ms carry no stack: 300 us in all\n"
		"lost: nothing\n");
	fixture_check_report(&f, "offcpu-table", NULL,
			     "  total  waits  stack\n"
			     "12.0 ms      1  worker;[not over at the end of the recording]\n"
			     "5.00 ms      2  main;main;fill;read;do_syscall_64;pipe_read\n"
			     "4.00 ms      1  main;main;work;lock;do_syscall_64;futex_wait\n"
			     " 300 us      -  [shorter than 1 ms: no stack taken]\n"
			     "sum over 4 rows: total 21.3 ms\n"
			     "\n"
			     "waits shorter than 1 ms carry no stack: 300 us in all\n"
			     "lost: nothing\n");
	fixture_close(&f);
}

/* The same 21.3 ms, 20.7 ms on CPUs, of which samples say what for, and 1 ms of which nobody
 * knows. */
static void test_categories(void **state)
{
	struct fixture f = fixture_open(fixture_waits_story);

	(void)state;
	fixture_check_report(
		&f, "categories", NULL,
		"category                                  total   share  waits  longest\n"
		"cpu.user                                20.7 ms  48.1 %      -        -\n"
		"[not over at the end of the recording]  12.0 ms  27.9 %      1  12.0 ms\n"
		"wait.ipc                                5.00 ms  11.6 %      2  3.00 ms\n"
		"lock.futex                              2.00 ms   4.7 %      1  2.00 ms\n"
		"runq.woken                              2.00 ms   4.7 %      1  2.00 ms\n"
		"unknown                                 1.00 ms   2.3 %      -        -\n"
		"[waits shorter than 1 ms]                300 us   0.7 %      -        -\n"
		"sum over 7 rows: total 43.0 ms\n"
		"\n"
		"samples every 10 ms: 3 samples\n"
		"waits shorter than 1 ms carry no stack: 300 us in all\n"
		"lost: nothing\n");
	fixture_close(&f);
}

static void test_oncpu(void **state)
{
	struct fixture f = fixture_open(fixture_waits_story);

	(void)state;
	fixture_check_report(&f, "oncpu", NULL,
			     "    total    share     samples\n"
			     "  30.0 ms  100.0 %           3  all\n"
			     "  20.0 ms   66.7 %           2  ├─ main > main > burn\n"
			     "  10.0 ms   33.3 %           1  └─ hog > do_syscall_64 > futex_wait\n"
			     "\n"
			     "samples every 10 ms: 3 samples\n"
			     "lost: nothing\n");
	fixture_check_report(&f, "oncpu-table", NULL,
			     "  total   share  samples  stack\n"
			     "20.0 ms  66.7 %        2  main;main;burn\n"
			     "10.0 ms  33.3 %        1  hog;do_syscall_64;futex_wait\n"
			     "sum over 2 rows: total 30.0 ms\n"
			     "\n"
			     "samples every 10 ms: 3 samples\n"
			     "lost: nothing\n");
	fixture_close(&f);
}

/* Two delays of no time, one of 100 us, one of 2 ms. */
static void test_runq(void **state)
{
	struct fixture f = fixture_open(fixture_waits_story);

	(void)state;
	fixture_check_report(
		&f, "runq", NULL,
		"Run-queue delays of all waits\n"
		"      0 to 1 us              2  ████████████████████████████████████████████████\n"
		"   1 us to 2 us              0\n"
		"   2 us to 4 us              0\n"
		"   4 us to 8 us              0\n"
		"   8 us to 16 us             0\n"
		"  16 us to 32 us             0\n"
		"  32 us to 64 us             0\n"
		"  64 us to 128 us            1  ████████████████████████\n"
		" 128 us to 256 us            0\n"
		" 256 us to 512 us            0\n"
		" 512 us to 1 ms              0\n"
		"   1 ms to 2 ms              1  ████████████████████████\n"
		"\n"
		"The longest\n"
		"2 ms  main (tid 10) on CPU 0\n"
		"  at              0.003000 s\n"
		"  why             woken by worker (tid 11)\n"
		"  ran instead     worker (tid 11) 2 ms 100 %\n"
		"  queue           worker (running for 2 ms)\n"
		"\n"
		"lost: nothing\n");
	fixture_close(&f);
}

/* Delays are told with who ran instead and who was queued. */
static void test_runq_culprits(void **state)
{
	struct fixture f =
		fixture_open("meta min_wait_ns 1000000\n"
			     "thread 1 1 anna\nthread 2 2 bert\nthread 3 3 cleo\nthread 4 4 dora\n"
			     "0   cpu0 switch idle > 1\n"
			     "1ms cpu0 waking 2 by 1\n"
			     "2ms cpu0 waking 3 by 1\n"
			     "3ms cpu0 waking 4 by 1\n"
			     "4ms cpu0 switch 1:S > 2\n"
			     "6ms cpu0 switch 2:R > 3 next_prio=49\n"
			     "9ms cpu0 switch 3:S > 4\n"
			     "10ms cpu0 switch 4:S > 2\n");
	const struct report_options options = {
		.has_min = true, .min_ns = 4 * NS_PER_MS, .has_limit = true, .limit = 2};

	(void)state;
	fixture_check_report(
		&f, "runq", &options,
		"Run-queue delays of all waits\n"
		"   2 ms to 4 ms              3  ████████████████████████████████████████████████\n"
		"   4 ms to 8 ms              1  ████████████████\n"
		"\n"
		"The longest\n"
		"6 ms  dora (tid 4) on CPU 0\n"
		"  at              0.003000 s\n"
		"  why             woken by anna (tid 1)\n"
		"  ran instead     cleo (tid 3) 3 ms 50 % (real time), bert (tid 2) 2 ms 33 %, anna (tid 1) 1 ms 17 %\n"
		"  queue           anna (running for 3 ms), bert (2 ms), cleo (1 ms)\n"
		"4 ms  cleo (tid 3) on CPU 0\n"
		"  at              0.002000 s\n"
		"  why             woken by anna (tid 1)\n"
		"  ran instead     anna (tid 1) 2 ms 50 %, bert (tid 2) 2 ms 50 %\n"
		"  queue           anna (running for 2 ms), bert (1 ms)\n"
		"2 of 3 rows are shown (--limit)\n"
		"\n"
		"lost: nothing\n");
	fixture_close(&f);
}

static void test_wakers(void **state)
{
	struct fixture f = fixture_open(fixture_waits_story);

	(void)state;
	fixture_check_report(
		&f, "wakers", NULL,
		"waker comm  waker tid  comm  tid  count  interrupt count  blocked  average  longest\n"
		"idle                0  main   10      3                3  5.20 ms  1.73 ms  3.00 ms\n"
		"worker             11  main   10      1                0  2.00 ms  2.00 ms  2.00 ms\n"
		"sum over 2 rows: blocked 7.20 ms\n"
		"\n"
		"lost: nothing\n");
	fixture_close(&f);
}

static void test_waits(void **state)
{
	struct fixture f = fixture_open(fixture_waits_story);

	(void)state;
	fixture_check_report(
		&f, "waits", NULL,
		"The longest that ended\n"
		"4 ms  main (tid 10) sleeping\n"
		"  start           0.001000 s\n"
		"  blocked         2.00 ms\n"
		"  runnable        2.00 ms\n"
		"  syscall         futex\n"
		"  object          futex 0x1000\n"
		"  owner           worker (tid 11)\n"
		"  woken by        worker (tid 11)\n"
		"  kernel stack    futex_wait < do_syscall_64\n"
		"  user stack      lock < work < main\n"
		"  waker user      burn < main\n"
		"  cpu             0\n"
		"3 ms  main (tid 10) sleeping\n"
		"  start           0.010000 s\n"
		"  blocked         3.00 ms\n"
		"  runnable        0 ns\n"
		"  syscall         read\n"
		"  object          /var/log/x\n"
		"  woken by        an interrupt\n"
		"  kernel stack    pipe_read < do_syscall_64\n"
		"  user stack      read < fill < main\n"
		"  cpu             0\n"
		"2 ms  main (tid 10) sleeping\n"
		"  start           0.014000 s\n"
		"  blocked         2.00 ms\n"
		"  runnable        0 ns\n"
		"  syscall         recvfrom\n"
		"  object          tcp 10.0.0.1:80 > 10.0.0.2:5000\n"
		"  woken by        an interrupt\n"
		"  kernel stack    pipe_read < do_syscall_64\n"
		"  user stack      read < fill < main\n"
		"  cpu             0\n"
		"\n"
		"Waits of threads that seem to have had nothing to do\n"
		"comm  threads  state  syscall  waits  total  longest\n"
		"none\n"
		"\n"
		"Not over at the end of the recording, or lost from sight: those that are not "
		"asleep, and those that ran, first\n"
		"comm    tid  pid  state        start   waited  wait id\n"
		"worker   11   10  sleeping  0.005000  12.0 ms        3\n"
		"\n"
		"waits shorter than 1 ms carry no stack: 300 us in all\n"
		"lost: nothing\n");
	fixture_close(&f);
}

/* Two threads that wait for one lock, a poll, and one that slept all the time. */
static const char like_story[] =
	"meta min_wait_ns 1000000\n"
	"thread 10 10 pool\nthread 11 10 pool\nthread 20 20 poller\nthread 30 30 away\n"
	"stack sleep kernel schedule futex_wait do_syscall_64\n"
	"stack poll kernel schedule do_epoll_wait do_syscall_64\n"
	"stack locked user lock work main\n"
	"stack waking kernel bpf_prog_1_on_waking bpf_trace_run1 try_to_wake_up futex_wake\n"
	"0     cpu0 switch idle > 10\n"
	"0     cpu1 switch idle > 20\n"
	"1ms   cpu0 switch 10:S > 11\n"
	"1ms   cpu1 switch 20:S > idle\n"
	"3ms   cpu0 waking 10 by 11\n"
	"3ms   cpu0 switch 11:S > 10\n"
	"3ms   cpu0 wait 10 pid=10 blocked=2ms runnable=0 syscall=futex kernel_stack=sleep "
	"user_stack=locked waker_tid=11 waker_pid=10 descriptor=-1 prev_state=S\n"
	"8ms   cpu0 waking 11 by 10\n"
	"8ms   cpu0 switch 10:S > 11\n"
	"8ms   cpu0 wait 11 pid=10 blocked=5ms runnable=0 syscall=futex kernel_stack=sleep "
	"user_stack=locked waker_tid=10 waker_pid=10 descriptor=-1 prev_state=S "
	"waker_kernel_stack=waking\n"
	"9ms   cpu1 waking 20 by idle\n"
	"9ms   cpu1 switch idle > 20\n"
	"9ms   cpu1 wait 20 pid=20 blocked=8ms runnable=0 syscall=epoll_wait kernel_stack=poll "
	"descriptor=3 prev_state=S\n"
	"10ms  cpu1 switch 20:R > idle\n"
	"10ms  cpu0 switch 11:S > idle\n";

/* The longest of each kind, the recorder's own frames left out; what was idle only summed up. */
static void test_waits_that_are_alike(void **state)
{
	struct fixture f = fixture_open(like_story);

	(void)state;
	fixture_check_report(
		&f, "waits", NULL,
		"The longest that ended\n"
		"5 ms  pool (tid 11) sleeping\n"
		"  like it         1 more, 7 ms in all\n"
		"  start           0.003000 s\n"
		"  blocked         5.00 ms\n"
		"  runnable        0 ns\n"
		"  syscall         futex\n"
		"  woken by        pool (tid 10)\n"
		"  kernel stack    futex_wait < do_syscall_64\n"
		"  user stack      lock < work < main\n"
		"  waker kernel    try_to_wake_up < futex_wake\n"
		"  cpu             0\n"
		"\n"
		"Waits of threads that seem to have had nothing to do\n"
		"comm    threads  state     syscall     waits    total  longest\n"
		"poller        1  sleeping  epoll_wait      1  8.00 ms  8.00 ms\n"
		"\n"
		"Not over at the end of the recording, or lost from sight: those that are not "
		"asleep, and those that ran, first\n"
		"comm  tid  pid  state        start   waited  wait id\n"
		"pool   10   10  sleeping  0.008000  2.00 ms        3\n"
		"away   30   30  sleeping  0.000000  10.0 ms        4\n"
		"\n"
		"waits shorter than 1 ms carry no stack\n"
		"lost: nothing\n");
	fixture_check_report(
		&f, "offcpu", NULL,
		"    total    share       waits\n"
		"  27.0 ms  100.0 %           5  all\n"
		"  10.0 ms   37.0 %           1  ├─ [asleep all the time: nothing is known]\n"
		"  9.00 ms   33.3 %           3  ├─ pool\n"
		"  7.00 ms   25.9 %           2  │  ├─ main > work > lock > do_syscall_64 > futex_wait\n"
		"  2.00 ms    7.4 %           1  │  └─ [not over at the end of the recording]\n"
		"  8.00 ms   29.6 %           1  └─ poller > do_syscall_64 > do_epoll_wait\n"
		"\n"
		"waits shorter than 1 ms carry no stack\n"
		"lost: nothing\n");
	fixture_check_report(
		&f, "overview", NULL,
		"Threads\n"
		"comm    tid  pid   on cpu  runnable  blocked  longest wait  longest runnable\n"
		"pool     10   10  6.00 ms      0 ns  4.00 ms       2.00 ms              0 ns\n"
		"pool     11   10  4.00 ms      0 ns  5.00 ms       5.00 ms              0 ns\n"
		"poller   20   20  2.00 ms      0 ns  8.00 ms       8.00 ms              0 ns\n"
		"away     30   30     0 ns      0 ns  10.0 ms          0 ns              0 ns\n"
		"sum over 4 rows: on cpu 12.0 ms, runnable 0 ns, blocked 27.0 ms\n"
		"\n"
		"What they waited for\n"
		"comm   waited  waits  longest  waited in  object  owners  runnable\n"
		"pool  7.00 ms      2  5.00 ms  futex      -       -           0 ns\n"
		"sum over 1 row: waited 7.00 ms\n"
		"\n"
		"Who ran while they waited for a CPU (delays from 1 ms on)\n"
		"comm  delayed  delays  threads\n"
		"none\n"
		"\n"
		"Functions that ran\n"
		"on cpu  share  function  module\n"
		"none\n"
		"\n"
		"samples: none were taken\n"
		"waits shorter than 1 ms carry no stack\n"
		"lost: nothing\n");
	fixture_close(&f);
}

static void test_cpus_and_processes(void **state)
{
	struct fixture f = fixture_open(fixture_waits_story);

	(void)state;
	fixture_check_report(
		&f, "cpus", NULL,
		"cpu     busy  busy share  other     idle  unknown  switches\n"
		"  0  11.7 ms      68.8 %   0 ns  5.30 ms     0 ns         9\n"
		"  1  9.00 ms      52.9 %   0 ns  8.00 ms     0 ns         2\n"
		"sum over 2 rows: busy 20.7 ms, other 0 ns, idle 13.3 ms, unknown 0 ns\n"
		"\n"
		"lost: nothing\n");
	fixture_check_report(
		&f, "processes", NULL,
		"pid  ppid  comm  start       end  exit               threads   on cpu  cmdline\n"
		" 10     1  main      -         -  -                        2  11.7 ms  main --fast\n"
		" 20     1  hog       -  0.009000  killed by SIGKILL        1  9.00 ms  -\n"
		"sum over 2 rows: on cpu 20.7 ms\n"
		"\n"
		"lost: nothing\n");
	fixture_close(&f);
}

static void test_files_and_sockets(void **state)
{
	struct fixture f = fixture_open(fixture_waits_story);

	(void)state;
	fixture_check_report(&f, "files", NULL,
			     " waited  waits  longest  syscalls  threads  file\n"
			     "3.00 ms      1  3.00 ms  read      main     /var/log/x\n"
			     "sum over 1 row: waited 3.00 ms\n"
			     "\n"
			     "waits shorter than 1 ms carry no stack: 300 us in all\n"
			     "lost: nothing\n");
	fixture_check_report(
		&f, "sockets", NULL,
		" waited  waits  longest  syscalls  threads  socket\n"
		"2.00 ms      1  2.00 ms  recvfrom  main     tcp 10.0.0.1:80 > 10.0.0.2:5000\n"
		"sum over 1 row: waited 2.00 ms\n"
		"\n"
		"waits shorter than 1 ms carry no stack: 300 us in all\n"
		"lost: nothing\n");
	fixture_close(&f);
}

static void test_loss_and_hooks(void **state)
{
	struct fixture f = fixture_open(fixture_waits_story);

	(void)state;
	fixture_check_report(&f, "loss", NULL,
			     "kind  cpu  from  to  events  reason\n"
			     "none\n"
			     "\n"
			     "lost: nothing\n");
	fixture_check_report(&f, "hooks", NULL,
			     "name    status   error  gives\n"
			     "fentry  missing  EPERM  how long it took\n"
			     "\n"
			     "lost: nothing\n");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_offcpu),
		cmocka_unit_test(test_categories),
		cmocka_unit_test(test_oncpu),
		cmocka_unit_test(test_runq),
		cmocka_unit_test(test_runq_culprits),
		cmocka_unit_test(test_wakers),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_waits_that_are_alike),
		cmocka_unit_test(test_cpus_and_processes),
		cmocka_unit_test(test_files_and_sockets),
		cmocka_unit_test(test_loss_and_hooks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
