/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel functions by what a thread waits for in them, from Linux 5.10 to 7.2.
 *
 * Compilers inline static functions, each its own, so that a subject lists the functions around the
 * wait as well. Where names changed, all are listed. Of several rows with one function the first
 * counts.
 */
#include <string.h>

#include "analysis/category_table.h"
#include "base/memory.h"

static const struct category_row rows[] = {
	/* ---- asked for, or nothing to do ---- */
	{"do_nanosleep hrtimer_nanosleep do_cpu_nanosleep alarmtimer_do_nsleep timerfd_read "
	 "timerfd_read_iter",
	 CATEGORY_WAIT_SLEEP},
	{"msleep msleep_interruptible usleep_range*", CATEGORY_WAIT_SLEEP, ROW_FALLBACK},
	{"ep_poll do_epoll_wait", CATEGORY_WAIT_IDLE},
	{"poll_schedule_timeout do_poll do_sys_poll do_select core_sys_select", CATEGORY_WAIT_IDLE,
	 ROW_REASON, ROW_HAS_FILES},
	{"inet_csk_wait_for_connect inet_csk_accept unix_accept vsock_accept sctp_accept smc_accept "
	 "tipc_accept",
	 CATEGORY_WAIT_IDLE},
	/* asynchronous requests: nothing may be under way */
	{"io_cqring_wait io_cqring_wait_schedule io_cqring_schedule_timeout read_events",
	 CATEGORY_WAIT_IDLE, ROW_REASON, ROW_WHOSE_WORK},
	{"inotify_read fanotify_read signalfd_read signalfd_read_iter userfaultfd_read "
	 "userfaultfd_read_iter userfaultfd_ctx_read n_tty_read evdev_read fuse_dev_do_read "
	 "do_sigtimedwait __x64_sys_pause __do_sys_pause __arm64_sys_pause dm_wait_event "
	 "devkmsg_read do_syslog syslog_print ring_buffer_wait wait_on_pipe tracing_wait_pipe "
	 "kvm_vcpu_block kvm_vcpu_halt",
	 CATEGORY_WAIT_IDLE},
	/* kernel threads at rest; more are known by where they wait: see is_own_loop */
	{"kswapd_try_to_sleep khugepaged_wait_work irq_wait_for_interrupt devtmpfs_work_loop "
	 "napi_thread_wait svc_recv rcu_gp_fqs_loop rcu_gp_cleanup rcu_exp_wait_wake rcu_tasks_one_gp "
	 "rcu_tasks_wait_gp nocb_gp_wait nocb_cb_wait io_sq_thread kthread_parkme "
	 "__kthread_parkme",
	 CATEGORY_WAIT_IDLE},

	/* ---- stopped ---- */
	{"do_signal_stop ptrace_stop ptrace_notify do_jobctl_trap do_freezer_trap __refrigerator",
	 CATEGORY_STOP, ROW_WHOLE},

	/* ---- the work of others ---- */
	{"futex_lock_pi rt_mutex_wait_proxy_lock", CATEGORY_LOCK_FUTEX, ROW_WHOLE},
	{"futex_do_wait futex_wait_queue futex_wait_queue_me futex_wait __futex_wait "
	 "futex_wait_multiple futex_wait_requeue_pi",
	 CATEGORY_WAIT_CONDITION, ROW_REASON, ROW_WHICH_FUTEX},
	{"do_wait kernel_wait4 kernel_waitid wait_for_vfork_done zap_pid_ns_processes "
	 "call_usermodehelper_exec",
	 CATEGORY_WAIT_CHILD},
	{"kernel_clone", CATEGORY_WAIT_CHILD, ROW_HINT},
	{"do_semtimedop __do_semtimedop de_thread coredump_task_exit", CATEGORY_WAIT_CONDITION},
	{"__flush_work flush_work __flush_workqueue flush_workqueue drain_workqueue "
	 "cancel_work_sync __cancel_work_sync __cancel_work_timer kthread_stop kthread_park "
	 "kthread_flush_work kthread_flush_worker stop_one_cpu affine_move_task",
	 CATEGORY_WAIT_CONDITION, ROW_HINT},
	{"wait_for_completion* __wait_for_common do_exit", CATEGORY_WAIT_CONDITION, ROW_FALLBACK},

	/* ---- messages ---- */
	{"pipe_read pipe_write anon_pipe_read anon_pipe_write fifo_pipe_read fifo_pipe_write "
	 "pipe_wait_readable pipe_wait_writable wait_for_partner fifo_open ipipe_prep opipe_prep "
	 "splice_from_pipe_next",
	 CATEGORY_WAIT_IPC},
	{"unix_stream_data_wait unix_stream_read_generic unix_stream_recvmsg unix_stream_sendmsg "
	 "unix_stream_connect unix_wait_for_peer unix_dgram_recvmsg __unix_dgram_recvmsg "
	 "unix_dgram_sendmsg unix_seqpacket_recvmsg unix_seqpacket_sendmsg unix_bpf_recvmsg",
	 CATEGORY_WAIT_IPC},
	{"eventfd_read do_msgrcv do_msgsnd wq_sleep do_mq_timedreceive do_mq_timedsend sigsuspend "
	 "n_tty_write netlink_recvmsg seccomp_do_user_notification binder_wait_for_work "
	 "binder_thread_read",
	 CATEGORY_WAIT_IPC},

	/* ---- network ---- */
	{"inet_wait_for_connect __inet_stream_connect inet_stream_connect sk_stream_wait_connect "
	 "vsock_connect vsock_stream_connect sctp_wait_for_connect smc_connect",
	 CATEGORY_NET_CONNECT},
	{"sk_stream_wait_memory sk_stream_wait_close vsock_connectible_sendmsg vsock_stream_sendmsg "
	 "sctp_wait_for_sndbuf smc_tx_wait mptcp_sendmsg",
	 CATEGORY_NET_SEND},
	{"sk_wait_data tls_rx_rec_wait tls_wait_data mptcp_wait_data smc_rx_wait "
	 "vsock_connectible_wait_data vsock_connectible_recvmsg vsock_stream_recvmsg udp_recvmsg "
	 "udpv6_recvmsg __skb_recv_udp raw_recvmsg rawv6_recvmsg ping_recvmsg packet_recvmsg "
	 "sctp_skb_recv_datagram tun_ring_recv tun_do_read tap_do_read",
	 CATEGORY_NET_RECV},
	{"__skb_wait_for_more_packets __skb_recv_datagram skb_recv_datagram tcp_recvmsg "
	 "tcp_recvmsg_locked tcp_splice_read inet_recvmsg inet6_recvmsg",
	 CATEGORY_NET_RECV, ROW_HINT, ROW_WHICH_SOCKET},
	{"sock_alloc_send_pskb sock_alloc_send_skb tcp_sendmsg tcp_sendmsg_locked udp_sendmsg "
	 "udpv6_sendmsg inet_sendmsg inet6_sendmsg",
	 CATEGORY_NET_SEND, ROW_HINT, ROW_WHICH_SOCKET},

	/* ---- memory ---- */
	{"try_to_free_pages try_to_free_mem_cgroup_pages do_try_to_free_pages balance_pgdat "
	 "shrink_node* shrink_lruvec shrink_inactive_list shrink_active_list shrink_folio_list "
	 "shrink_page_list shrink_one shrink_many shrink_slab* do_shrink_slab evict_folios "
	 "try_to_inc_max_seq reclaim_throttle throttle_direct_reclaim wait_iff_congested "
	 "congestion_wait node_reclaim __node_reclaim reclaim_high mem_cgroup_handle_over_high "
	 "__mem_cgroup_handle_over_high",
	 CATEGORY_MEM_RECLAIM, ROW_WHOLE},
	{"compact_zone compact_zone_order compact_node try_to_compact_pages kcompactd_do_work "
	 "__alloc_pages_direct_compact",
	 CATEGORY_MEM_COMPACT, ROW_WHOLE},
	/* found by do_swap_page, but only moved */
	{"migration_entry_wait* __migration_entry_wait* pmd_migration_entry_wait "
	 "softleaf_entry_wait*",
	 CATEGORY_MEM_FAULT, ROW_WHOLE},
	{"do_swap_page swapin_readahead swapin_sync swapin_folio swap_cluster_readahead "
	 "swap_vma_readahead read_swap_cache_async swap_readpage swap_read_folio shmem_swapin*",
	 CATEGORY_MEM_SWAP, ROW_WHOLE},
	{"out_of_memory oom_kill_process mem_cgroup_out_of_memory mem_cgroup_oom "
	 "mem_cgroup_oom_synchronize pagefault_out_of_memory __alloc_pages_may_oom",
	 CATEGORY_MEM_OOM, ROW_WHOLE},
	{"__alloc_pages_slowpath try_charge_memcg drain_all_pages", CATEGORY_MEM_RECLAIM, ROW_HINT},
	{"handle_userfault", CATEGORY_MEM_FAULT},
	{"filemap_fault filemap_map_pages shmem_fault hugetlb_fault __do_fault do_fault "
	 "do_read_fault do_cow_fault do_shared_fault do_anonymous_page do_wp_page wp_page_copy "
	 "do_numa_page handle_mm_fault __handle_mm_fault do_user_addr_fault do_page_fault "
	 "__do_page_fault do_mem_abort faultin_page clear_page* clear_huge_page folio_zero_user",
	 CATEGORY_MEM_FAULT, ROW_AROUND_DISK},
	{"exc_page_fault asm_exc_page_fault", CATEGORY_MEM_FAULT, ROW_HINT},

	/* ---- locks of the kernel; their names are in category_words.c ---- */
	{"__mutex_lock* mutex_lock* __ww_mutex_lock* ww_mutex_lock* rwsem_down_* __down_read* "
	 "__down_write* down_read* down_write* __down __down_common __down_interruptible "
	 "__down_killable __down_timeout down down_interruptible down_killable down_timeout "
	 "percpu_rwsem_wait percpu_down_write __percpu_down_read rt_mutex_slowlock* "
	 "__rt_mutex_slowlock* rt_mutex_lock* rtlock_slowlock* rt_spin_lock* rt_read_lock rt_write_lock rwbase_*",
	 CATEGORY_LOCK_KERNEL},
	{"__lock_sock __lock_sock_fast lock_sock_nested ldsem_down_* tty_ldisc_ref_wait "
	 "locks_lock_inode_wait flock_lock_inode_wait posix_lock_inode_wait do_lock_file_wait "
	 "fcntl_setlk fcntl_setlk64 __break_lease d_alloc_parallel d_wait_lookup "
	 "cgroup_lock_and_drain_offline kernfs_drain __vma_start_write __vma_start_exclude_readers "
	 "__vma_exclude_readers* __vma_enter_locked vma_mark_detached",
	 CATEGORY_LOCK_KERNEL},
	{"__wait_rcu_gp synchronize_rcu* synchronize_srcu* __synchronize_srcu synchronize_net "
	 "rcu_barrier rcu_sync_enter",
	 CATEGORY_LOCK_KERNEL},
	{"bit_wait bit_wait_timeout __wait_on_bit __wait_on_bit_lock out_of_line_wait_on_bit*",
	 CATEGORY_LOCK_KERNEL, ROW_FALLBACK},

	/* ---- file systems ---- */
	{"balance_dirty_pages* wb_wait_for_completion inode_wait_for_writeback "
	 "__inode_wait_for_writeback inode_sleep_on_writeback __wait_on_freeing_inode",
	 CATEGORY_IO_FS},
	{"jbd2_log_wait_commit jbd2_journal_wait_updates wait_transaction_locked "
	 "wait_transaction_switching add_transaction_credits start_this_handle "
	 "jbd2_journal_lock_updates jbd2_fc_begin_commit ext4_fc_wait* ext4_fc_track* ext4_sync_fs",
	 CATEGORY_IO_FS},
	{"do_get_write_access __jbd2_log_wait_for_space jbd2_log_do_checkpoint jbd2_fc_wait_bufs "
	 "ext4_fc_commit jbd2_complete_transaction",
	 CATEGORY_IO_FS, ROW_AROUND_DISK},
	{"xlog_wait* xlog_cil_force_seq xlog_cil_push_now xfs_log_force* xlog_grant_head_wait "
	 "xlog_grant_head_check xfs_log_reserve xfs_extent_busy_flush",
	 CATEGORY_IO_FS},
	{"btrfs_commit_transaction wait_for_commit wait_current_trans btrfs_wait_for_commit "
	 "btrfs_wait_ordered_* btrfs_start_ordered_extent* handle_reserve_ticket "
	 "wait_reserve_ticket btrfs_sync_log wait_log_commit wait_extent_bit lock_extent* "
	 "btrfs_lock_extent* btrfs_wait_on_delayed_iputs",
	 CATEGORY_IO_FS},
	{"f2fs_issue_checkpoint f2fs_issue_flush f2fs_wait_on_* f2fs_balance_fs", CATEGORY_IO_FS},
	{"request_wait_answer fuse_get_req fuse_wait_aborted fuse_wait_on_* fuse_set_nowrite "
	 "rpc_wait_bit_killable nfs_wait_bit_killable rpc_wait_for_completion_task "
	 "__rpc_wait_for_completion_task wait_for_response cifs_call_async "
	 "ceph_mdsc_wait_request p9_client_rpc p9_virtio_request "
	 "afs_wait_for_call_to_complete autofs_wait fanotify_handle_event",
	 CATEGORY_IO_FS},
	{"fuse_* nfs_* nfs3_* nfs4_* cifs_* smb2_* ceph_* v9fs_* afs_* netfs_* gfs2_* ocfs2_*",
	 CATEGORY_IO_FS, ROW_AROUND_DISK},
	{"jbd2_journal_commit_transaction dquot_* find_inode find_inode_fast iget_locked iget5_locked ilookup ilookup5 do_coredump "
	 "vfs_coredump",
	 CATEGORY_IO_FS, ROW_HINT},

	/* ---- disks ---- */
	{"folio_wait_* __folio_lock* folio_put_wait_locked wait_on_page_bit* wait_on_page_writeback* "
	 "__lock_page* put_and_wait_on_page_locked __filemap_fdatawait_range",
	 CATEGORY_IO_DISK},
	{"bit_wait_io* __wait_on_buffer __lock_buffer __sync_dirty_buffer xfs_buf_iowait",
	 CATEGORY_IO_DISK},
	{"submit_bio_wait blk_execute_rq blkdev_issue_* blk_mq_get_tag rq_qos_wait wbt_wait "
	 "blk_queue_enter __bio_queue_enter blk_mq_freeze_queue_wait* blkcg_maybe_throttle_current "
	 "blk_io_schedule raid5_get_active_stripe md_write_start",
	 CATEGORY_IO_DISK},
	{"__iomap_dio_rw iomap_dio_rw __blkdev_direct_IO* blkdev_direct_IO do_blockdev_direct_IO "
	 "__blockdev_direct_IO dio_await_completion inode_dio_wait*",
	 CATEGORY_IO_DISK},
	{"filemap_read filemap_get_pages generic_file_buffered_read filemap_read_folio __filemap_get_folio* pagecache_get_page "
	 "md_handle_request raid5_make_request dm_wait_for_completion",
	 CATEGORY_IO_DISK, ROW_HINT},
	{"io_schedule io_schedule_timeout", CATEGORY_IO_DISK, ROW_FALLBACK},
};

/* One word of a list: a name, or with a "*" at its end the beginning of one. */
static bool is_word(const char *function, const char *word, size_t length)
{
	if (word[length - 1] == '*')
		return !strncmp(function, word, length - 1);
	return !strncmp(function, word, length) &&
	       (function[length] == '\0' || function[length] == '.');
}

bool function_is_one_of(const char *function, const char *words)
{
	while (*words) {
		size_t length = strcspn(words, " ");

		if (*words == *function && is_word(function, words, length))
			return true;
		words += length;
		words += strspn(words, " ");
	}
	return false;
}

const struct category_row *category_row_named(const char *function)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (function_is_one_of(function, rows[i].functions))
			return &rows[i];
	}
	return NULL;
}

const struct category_row *category_row_of(const struct place *place)
{
	static const struct category_row none = {.functions = ""};
	const void **note = model_place_note(place);

	/* the note of a user function is another table's; a damaged recording may ask for it */
	if (!place->is_kernel)
		return NULL;
	if (!*note)
		*note = category_row_named(place->function);
	if (!*note)
		*note = &none;
	return *note == &none ? NULL : *note;
}
