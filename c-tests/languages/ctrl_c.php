<?php
// Ctrl-C while PHP waits within calls of the library, through FFI: see ctrl_c.py. Arguments: HEADER LIBRARY.
if (!extension_loaded("ffi") || !extension_loaded("pcntl")) {
    echo "PHP has no FFI or no pcntl here\n";
    exit(77);
}
$ps = FFI::cdef(file_get_contents($argv[1]), $argv[2]);
[$supervisor, $command, $child, $error] = array_map(fn($type) => $ps->new("ps_$type *"), ["supervisor", "command", "child", "error"]);
$interrupted = false;
pcntl_async_signals(true);
pcntl_signal(SIGINT, function () use (&$interrupted) { $interrupted = true; });

function done(int $status, array $allowed = []): int
{
    global $ps, $error;
    if ($status < 0 && !in_array($status, $allowed, true)) {
        throw new Exception($ps->ps_error_message($error));
    }
    return $status;
}

done($ps->ps_supervisor_new(FFI::addr($supervisor), FFI::addr($error)));
done($ps->ps_command_new("sleep", FFI::addr($command), FFI::addr($error)));
done($ps->ps_command_arg($command, "1000", FFI::addr($error)));
done($ps->ps_command_readiness($command, $ps->PS_READY_NOTIFY, null, -1, FFI::addr($error)));
done($ps->ps_spawn($supervisor, $command, FFI::addr($child), FFI::addr($error)));
$event = $ps->new("ps_event");
$event->size = FFI::sizeof($event);
done($ps->ps_supervisor_next_event($supervisor, -1, FFI::addr($event), FFI::addr($error))); // STARTED
$children = $ps->new("ps_child *[1]");
$children[0] = $child;
$index = $ps->new("size_t");

$waits = [
    "next_event" => fn() => $ps->ps_supervisor_next_event($supervisor, -1, FFI::addr($event), FFI::addr($error)),
    "wait_ready" => fn() => $ps->ps_wait_ready($child, 60000, FFI::addr($error)),
    "wait_any" => fn() => $ps->ps_wait_any($children, 1, 60000, FFI::addr($index), FFI::addr($error)),
    "wait_all" => fn() => $ps->ps_wait_all($children, 1, 60000, FFI::addr($error)),
];
foreach ($waits as $name => $wait) {
    $interrupted = false;
    echo "waiting $name\n";
    $status = $wait();
    $expected = $name === "next_event" ? $ps->PS_PENDING : $ps->PS_ERR_INTERRUPTED;
    echo $interrupted && $status === $expected ? "interrupted $name\n" : "missed $name: $status\n";
}
done($ps->ps_terminate($child, 0, null, FFI::addr($error)));
$ps->ps_child_free($child);
$ps->ps_command_free($command);
$ps->ps_supervisor_free($supervisor);
echo "done\n";
