# SPDX-License-Identifier: BSD-2-Clause
# What stands in front of each test's own lines: stop at the first that fails, and say which and why.
set -eE -o pipefail
stage=RUN
complaint=

# Called at a command that failed, maybe inside of a function of lib.sh: LINE is where that is.
say_and_stop() { # COMMAND LINE
	local line=$2
	[ ${#FUNCNAME[@]} -gt 2 ] && line=${BASH_LINENO[-2]}
	[ "$1" = 'return 1' ] || complaint=
	echo "LIVE: $stage: $(sed -n "${line}{s/^\t*//;p}" "$0")${complaint:+: $complaint}" >&2
	exit 1
}
trap 'say_and_stop "$BASH_COMMAND" $LINENO' ERR

cd "$D"
. "$LIVE/lib.sh"
