# SPDX-License-Identifier: BSD-2-Clause
# What a test needs of the machine it runs on: the words behind NEEDS, for the live tests and the cases.
# Takes $BUILD; $root is the source tree.

# Why this machine cannot run tests of the kernel side; nothing if it can. Asked of a program that has
# nothing to do with dashcam, so that a broken recorder is not mistaken for a machine that cannot record.
bpf_refusal() {
	"$BUILD/bench/floor" --check 2>&1 || return 0
	# Workloads know their threads by the numbers of their namespace, the kernel side by its own.
	[ "$(readlink /proc/self/ns/pid)" = 'pid:[4026531836]' ] ||
		echo "not in the machine's own pid namespace"
}

# To be called once before missing_need: what is not asked again for each test.
learn_needs() {
	no_bpf=$(bpf_refusal)
}

# The reason why a test with these NEEDS cannot run here; nothing if it can.
missing_need() {
	local need reason
	for need in "$@"; do
		reason=
		case $need in
		root) [ "$(id -u)" = 0 ] || reason="needs root" ;;
		bpf) reason=$no_bpf ;;
		mounts) unshare -m true 2>/dev/null || reason="cannot make a mount namespace" ;;
		arch:*) [ "$(uname -m)" = "${need#arch:}" ] || reason="only on ${need#arch:}" ;;
		user:*) id -u "${need#user:}" >/dev/null 2>&1 || reason="no user ${need#user:}" ;;
		leveldb) reason=$("$root/tests/functions/leveldb") && reason= ;; # builds its db_bench
		file:*) (cd "$root" && compgen -G "${need#file:}") >/dev/null || reason="no ${need#file:}" ;;
		*) PATH=$PATH:/usr/sbin:/sbin command -v "$need" >/dev/null || reason="no program $need" ;;
		esac
		if [ -n "$reason" ]; then
			echo "$reason"
			return
		fi
	done
}
