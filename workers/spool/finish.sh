# Says how the capture ended.
#
#   finish.sh DIRECTORY
#
# Lines: "code N", "size N", "sha256 HEX", "full", "stopped", "began NS" and "unwritten WHY" where they apply, then
# tcpdump's own words.
cd "$1/run" || exit 1
code=$(cat done) || exit 1
# Empty when there was no space left even for that.
echo "code ${code:-1}"
echo "size $(stat -c %s spool)"
echo "sha256 $(sha256sum <spool)"
for mark in full stopped; do
    if [ -e "$mark" ]; then
        echo "$mark"
    fi
done
if [ -s began ]; then
    read -r began _ <began
    echo "began $began"
fi
if [ -e unwritten ]; then
    echo "unwritten $(cat unwritten)"
fi
cat log
