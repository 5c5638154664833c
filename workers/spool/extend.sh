# Lets the capture run longer.
#
#   extend.sh DIRECTORY SECONDS
#
# SECONDS count from its beginning. Exit code 0; prints "over" when it had ended, or was ending, before.
cd "$1/run" || exit 1
echo "$2" >seconds.new || exit 1
mv seconds.new seconds || exit 1
# Who had read the old number just before has acted on it by then.
sleep 0.3
if [ -e over ] || [ -e done ]; then
    echo over
fi
