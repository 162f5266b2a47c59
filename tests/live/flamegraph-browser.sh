#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Opens a flame graph in Chromium without a screen, at several widths, and uses it (flamegraph-browser.js):
#	flamegraph-browser.sh FILE.svg
# Prints a verdict for each width. Exit status 0 if all are well, 77 without Chromium.
set -u

svg=$1
here=$(cd "$(dirname "$0")" && pwd)
browser=$(command -v chromium || command -v chromium-browser) || {
	echo "skipped: no chromium"
	exit 77
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

{
	sed '$d' "$svg" # all but </svg>
	echo '<script><![CDATA['
	cat "$here/flamegraph-browser.js"
	echo ']]></script></svg>'
} >"$scratch/test.svg"

for width in 500 800 1200 2400; do # 500 is the narrowest it does
	verdict=$(timeout 60 "$browser" --headless=new --no-sandbox --disable-gpu --hide-scrollbars \
		--user-data-dir="$scratch/profile" --virtual-time-budget=3000 \
		--window-size=$width,900 --dump-dom "file://$scratch/test.svg" 2>/dev/null |
		sed -n 's,.*<desc>\(verdict: [^<]*\)<.*,\1,p')
	echo "$width: ${verdict:-no verdict}"
	case $verdict in
	"verdict: ok"*) ;;
	*) failed=1 ;;
	esac
done
exit $failed
