/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/category_words.h"

#include <string.h>

#include "analysis/category_table.h"
#include "base/memory.h"

/* ---- kernel ---- */

bool is_kernel_plumbing(const char *function)
{
	return function_is_one_of(
		function,
		/* the scheduler, and what the recorder adds */
		"schedule* __schedule* preempt_schedule* io_schedule* do_nanosleep finish_task_switch "
		"__traceiter_* bpf_* asm_sysvec_irq_work sysvec_irq_work "
		/* ways to wait */
		"wait_for_completion* __wait_for_common wait_woken do_wait_intr* bit_wait* "
		"__wait_on_bit* out_of_line_wait_on_bit* folio_wait_* __folio_lock* "
		"wait_on_page_* __lock_page* put_and_wait_on_page_locked __wait_on_buffer "
		"sk_wait_data __skb_wait_for_more_packets poll_schedule_timeout msleep "
		"usleep_range* blk_io_schedule "
		/* ways to lock */
		"__mutex_lock* mutex_lock* __ww_mutex_lock* ww_mutex_lock* rwsem_* down_* __down* "
		"down percpu_rwsem_wait percpu_down_* __percpu_down_read rt_mutex_* __rt_mutex* "
		"rtlock_* rt_spin_lock* rt_read_lock rt_write_lock rwbase_* ldsem_down_*");
}

bool is_kernel_entry(const char *function)
{
	return function_is_one_of(
		function,
		"do_syscall_64 entry_SYSCALL_64* x64_sys_call do_int80_* do_fast_syscall_32 "
		"entry_SYSENTER_* asm_* exc_* ret_from_fork* invoke_syscall el0_svc* "
		"do_el0_svc* el0_sync* el0t_64_sync*");
}

struct lock_row {
	const char *takers; /* as in struct category_row */
	const char *name;
};

static const struct lock_row locks[] = {
	/* tell themselves */
	{"locks_lock_inode_wait flock_lock_inode_wait posix_lock_inode_wait do_lock_file_wait "
	 "fcntl_setlk fcntl_setlk64",
	 "file lock"},
	{"__break_lease", "lease"},
	{"__lock_sock __lock_sock_fast lock_sock_nested", "socket"},
	{"__wait_rcu_gp synchronize_rcu* synchronize_srcu* __synchronize_srcu synchronize_net "
	 "rcu_barrier rcu_sync_enter exp_funnel_lock",
	 "RCU grace period"},
	{"d_alloc_parallel d_wait_lookup", "directory lookup"},
	{"tty_ldisc_ref_wait tty_lock tty_lock_interruptible tty_write_lock n_tty_read "
	 "n_tty_write file_tty_write tty_ioctl tty_open tty_release",
	 "tty"},
	/* takers of mmap_lock */
	{"mmap_read_lock* mmap_write_lock* lock_mm_and_find_vma do_user_addr_fault "
	 "do_page_fault __do_page_fault do_mem_abort vm_mmap_pgoff do_mprotect_pkey "
	 "__vm_munmap __x64_sys_munmap __do_sys_munmap __x64_sys_brk __do_sys_brk "
	 "vm_brk_flags __x64_sys_mremap __do_sys_mremap do_mremap do_madvise madvise_* "
	 "do_mlock __do_sys_mlock* __do_sys_munlock* __x64_sys_mlock* __x64_sys_munlock* "
	 "__x64_sys_msync __do_sys_msync __mm_populate m_start get_vma_snapshot* "
	 "pid_smaps_open show_smaps_rollup do_procmap_query procfs_procmap_ioctl pagemap_read "
	 "do_pagemap_scan clear_refs_write dup_mmap dup_mm copy_mm copy_process lock_next_vma "
	 "exit_mm exit_mmap exec_mmap begin_new_exec mmput __mmput setup_arg_pages "
	 "insert_vm_struct __access_remote_vm access_remote_vm get_user_pages_unlocked "
	 "__gup_longterm_locked __get_user_pages_locked get_user_pages_remote "
	 "gup_fast_fallback internal_get_user_pages_fast get_user_pages_fast fixup_user_fault "
	 "fault_in_user_writeable fault_in_safe_writeable ksys_shmdt do_shmat do_mbind "
	 "__do_sys_mbind do_migrate_pages do_pages_move do_pages_stat kernel_move_pages "
	 "task_numa_work khugepaged* collapse_huge_page hpage_collapse_scan_pmd ksm_* "
	 "__ksm_enter __ksm_exit scan_get_next_rmap_item userfaultfd_* mfill_atomic* "
	 "acct_collect process_vm_rw* io_register_* prctl_set_* prctl_set_mm* "
	 "uprobe_mmap __uprobe_register register_for_each_vma uprobe_apply handle_swbp "
	 "find_active_uprobe* stack_map_get_build_id_offset",
	 "mmap_lock"},
	{"__split_vma vma_expand vma_start_read* __vma_start_write vma_start_write* lock_vma_under_rcu "
	 "__vma_start_exclude_readers __vma_exclude_readers* __vma_enter_locked "
	 "vma_mark_detached",
	 "vma lock"},
	{"anon_vma_clone anon_vma_fork __anon_vma_prepare unlink_anon_vmas "
	 "folio_lock_anon_vma_read page_lock_anon_vma_read rmap_walk_* unmap_mapping_* "
	 "vma_prepare unlink_file_vma* vma_link_file vma_link __mmap_region "
	 "mmap_region __vma_adjust free_pgtables i_mmap_lock_*",
	 "reverse map"},
	/* file systems */
	{"pipe_read pipe_write anon_pipe_read anon_pipe_write fifo_pipe_read fifo_pipe_write "
	 "__pipe_lock pipe_lock pipe_double_lock pipe_ioctl pipe_release pipe_fcntl fifo_open "
	 "splice_file_to_pipe wait_for_partner iter_file_splice_write do_tee",
	 "pipe"},
	{"__fdget_pos fdget_pos", "file position"},
	{"ext4_buffered_write_iter ext4_file_write_iter ext4_dio_write_iter "
	 "ext4_dio_write_checks ext4_file_read_iter ext4_dio_read_iter ext4_llseek "
	 "ext4_fallocate ext4_punch_hole ext4_zero_range generic_file_write_iter "
	 "generic_file_llseek* xfs_ilock* xfs_file_* btrfs_inode_lock btrfs_buffered_write "
	 "btrfs_direct_write f2fs_file_write_iter f2fs_file_* fuse_file_write_iter "
	 "fuse_cache_write_iter fuse_direct_write_iter shmem_file_write_iter shmem_fallocate "
	 "shmem_file_llseek blkdev_write_iter iomap_file_* netfs_start_io_* lookup_slow "
	 "walk_component lookup_one_unlocked lookup_noperm_unlocked lookup_one_len_unlocked "
	 "path_openat open_last_lookups do_unlinkat filename_unlinkat do_rmdir filename_rmdir "
	 "filename_create __start_dirop start_dirop start_creating* start_removing* "
	 "kern_path_locked* __kern_path_locked lock_rename* lock_two_directories "
	 "lock_two_nondirectories __start_renaming* vfs_rename do_renameat2 vfs_unlink "
	 "vfs_rmdir vfs_link do_linkat iterate_dir wrap_directory_iterator do_truncate "
	 "do_open chmod_common chown_common notify_change utimes_common vfs_utimes "
	 "vfs_setxattr vfs_removexattr vfs_fileattr_set vfs_fallocate dcache_dir_lseek "
	 "dcache_readdir vfs_tmpfile simple_recursive_removal eventfs_* "
	 "generic_remap_file_range_prep reconfigure_super* inode_lock*",
	 "inode lock"},
	{"ext4_map_blocks ext4_map_query_blocks ext4_da_map_blocks ext4_da_get_block_prep "
	 "ext4_truncate ext4_do_writepages ext4_alloc_file_blocks ext4_block_truncate_page",
	 "file's block map"},
	{"filemap_invalidate_lock* filemap_fault filemap_create_folio page_cache_ra_unbounded "
	 "page_cache_ra_order do_page_cache_ra read_pages ext4_filemap_fault",
	 "file's page cache"},
	{"jbd2_journal_* __jbd2_* jbd2_log_* jbd2_mark_journal_empty", "journal"},
	{"ext4_writepages ext4_writepages_down_read ext4_change_inode_journal_flag",
	 "ext4 writepages"},
	{"ext4_orphan_add ext4_orphan_del", "ext4 orphan list"},
	{"btrfs_tree_lock* btrfs_tree_read_lock* __btrfs_tree_*", "btrfs tree"},
	{"xfs_buf_lock xfs_buf_find_lock xfs_buf_get_map", "xfs buffer"},
	{"dquot_* dqget v2_read_dquot", "quota"},
	{"kernfs_* sysfs_*", "kernfs"},
	{"__sb_start_write sb_start_write sb_wait_write freeze_super mnt_want_write* "
	 "file_start_write ext4_journal_check_start",
	 "frozen file system"},
	{"super_lock iterate_supers* __super_lock grab_super sync_filesystem ksys_sync "
	 "sync_inodes_sb super_cache_scan deactivate_super user_get_super",
	 "file system's super block"},
	{"namespace_lock lock_mount do_lock_mount path_mount do_new_mount* path_umount "
	 "copy_mnt_ns mounts_open_common put_mnt_ns __do_sys_move_mount vfs_move_mount",
	 "mount table"},
	{"seq_read_iter seq_lseek seq_read", "position in a /proc file"},
	{"ep_send_events ep_scan_ready_list ep_insert ep_poll do_epoll_ctl do_epoll_wait "
	 "ep_remove eventpoll_release_file epoll_mutex_lock ep_start_scan ep_item_poll "
	 "__ep_eventpoll_poll ep_eventpoll_poll reverse_path_check",
	 "epoll"},
	{"unix_stream_read_generic unix_dgram_recvmsg __unix_dgram_recvmsg "
	 "unix_stream_splice_read unix_bind* unix_autobind",
	 "unix socket"},
	{"io_uring_* __io_uring_* io_submit_sqes io_ring_submit_lock io_handle_tw_list "
	 "io_issue_sqe tctx_task_work* io_wq_submit_work",
	 "io_uring"},
	{"console_lock console_device printk_legacy* vprintk_emit", "console"},
	/* network */
	{"rtnl_lock rtnl_lock_killable rtnetlink_rcv_msg dev_ioctl rtnl_net_lock* "
	 "netdev_run_todo register_netdev unregister_netdev devinet_ioctl linkwatch_event "
	 "netlink_dump rtnl_dumpit genl_rcv* genl_lock cleanup_net ip_mc_* ipv6_sock_mc_join "
	 "inet_rtm_* tcf_* tc_* ops_undo_list addrconf_dad_work addrconf_verify_work "
	 "tun_chr_close tun_chr_ioctl __tun_chr_ioctl dev_ethtool ethnl_default_* "
	 "default_device_exit_*",
	 "rtnl"},
	{"netdev_lock* netif_* dev_set_mtu dev_change_flags", "network device"},
	{"copy_net_ns register_pernet_* unregister_pernet_* register_netdevice_notifier "
	 "setup_net",
	 "network namespaces"},
	{"netlink_rcv_skb netlink_table_grab xfrm_netlink_rcv nfnetlink_rcv* nf_tables_*",
	 "netlink"},
	/* processes */
	{"cgroup_kn_lock_live cgroup_lock* cgroup_procs_write* cgroup_attach_lock "
	 "cgroup_lock_and_drain_offline cgroup_can_fork cgroup_threadgroup_* cgroup_mkdir "
	 "cgroup_rmdir cgroup_destroy_locked css_killed_work_fn css_free_rwork_fn "
	 "css_release_work_fn cgroup_attach_permissions cgroup_update_dfl_csses "
	 "proc_cgroup_show cgroup1_* cgroup_post_fork exit_signals cgroup_apply_control* "
	 "cgroup_subtree_control_write cgroup_freeze_write freezer_write freezer_* "
	 "cgroup_freeze_* cgroup_write_* __cgroup_procs_write cpuset_* cgroup_seqfile_*",
	 "cgroup"},
	{"prepare_bprm_creds mm_access proc_pid_attr_write ptrace_attach bprm_execve "
	 "proc_pid_syscall proc_pid_stack proc_mem_open",
	 "exec of a process"},
	{"cpus_read_lock cpus_write_lock _cpu_up _cpu_down cpu_up cpu_down stop_machine "
	 "static_key_* jump_label_lock __static_key_slow_*",
	 "CPU hotplug"},
	{"perf_event_* __perf_event_* perf_install_* _perf_* __do_sys_perf_event_open "
	 "perf_trace_* perf_uprobe_* perf_tp_* ctx_sched_* tracepoint_* trace_event_* "
	 "event_trigger_* tracing_* trace_array_* ftrace_* uprobe_register uprobe_unregister*",
	 "perf or tracing"},
	{"bpf_trampoline_* bpf_prog_* bpf_link_* bpf_tracing_* bpf_map_* htab_*", "bpf"},
	{"text_poke_* smp_text_poke_* arch_jump_label_* arch_static_call_*", "kernel text"},
	{"load_module do_init_module __do_sys_finit_module __do_sys_init_module "
	 "__do_sys_delete_module register_module_notifier find_module",
	 "modules"},
	{"shrink_slab register_shrinker* unregister_shrinker shrinker_*", "shrinkers"},
	{"worker_attach_to_pool worker_detach_from_pool wq_* apply_workqueue_attrs* "
	 "set_pf_worker",
	 "work queues"},
	{"__do_sys_swapon __do_sys_swapoff", "swap areas"},
	{"blkdev_get* blkdev_put* bdev_open* bdev_release bd_prepare_to_claim bdev_file_open* "
	 "blkdev_open sync_bdevs lo_ioctl lo_open lo_release loop_* blkdev_common_ioctl",
	 "block device"},
	{"elv_* elevator_* blk_mq_freeze* blk_mq_update_nr_* queue_attr_* blk_register_queue "
	 "rq_qos_* blkg_* blkcg_* tg_set_*",
	 "block queue"},
	{"device_add device_del __device_attach* device_release_driver* bus_* driver_* usb_* "
	 "hub_event devlink_* __driver_attach device_lock pci_*",
	 "device"},
};

const char *lock_taken_by(const char *function)
{
	for (size_t i = 0; i < ARRAY_SIZE(locks); i++) {
		if (function_is_one_of(function, locks[i].takers))
			return locks[i].name;
	}
	return NULL;
}
