<?php
// The flat header as PHP reads it: a program is run, its structures are there, a number has its name. Arguments: HEADER LIBRARY.
if (!extension_loaded("ffi")) {
    echo "PHP has no FFI here\n";
    exit(77);
}
$ps = FFI::cdef(file_get_contents($argv[1]), $argv[2]);
[$command, $child, $error] = [$ps->new("ps_command *"), $ps->new("ps_child *"), $ps->new("ps_error *")];

function done(int $status): void
{
    global $ps, $error;
    if ($status !== $ps->PS_OK) {
        throw new Exception($ps->ps_error_message($error));
    }
}

done($ps->ps_command_new("sh", FFI::addr($command), FFI::addr($error)));
foreach (["-c", "exit 3"] as $word) {
    done($ps->ps_command_arg($command, $word, FFI::addr($error)));
}
done($ps->ps_spawn(null, $command, FFI::addr($child), FFI::addr($error)));
$end = $ps->new("ps_exit");
$end->size = FFI::sizeof($end);
done($ps->ps_reap($child, 10000, FFI::addr($end), FFI::addr($error)));
if ($end->kind !== $ps->PS_EXIT_EXITED || $end->code !== 3 || $ps->ps_status_name($ps->PS_ERR_TIMEOUT) !== "PS_ERR_TIMEOUT") {
    throw new Exception("kind $end->kind, code $end->code");
}
$ps->ps_child_free($child);
$ps->ps_command_free($command);
echo "PHP ", PHP_VERSION, ": sizeof ps_exit ", FFI::sizeof($end), "\n";
