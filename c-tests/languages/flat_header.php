<?php
// The flat header as PHP reads it: a program is run, its structures are there, a number has its name; events, 64-bit words, lists of
// strings and bytes go through unharmed, and a failure says why. Arguments: HEADER LIBRARY.
if (!extension_loaded("ffi")) {
    echo "PHP has no FFI here\n";
    exit(77);
}
$ps = FFI::cdef(file_get_contents($argv[1]), $argv[2]);
[$command, $child, $error] = [$ps->new("ps_command *"), $ps->new("ps_child *"), $ps->new("ps_error *")];

function done(int $status): int
{
    global $ps, $error;
    if ($status < 0) {
        throw new Exception($ps->ps_error_message($error));
    }
    return $status;
}

function expect(bool $truth, string $what): void
{
    if (!$truth) {
        throw new Exception($what);
    }
}

/** As execve(2) has it; the strings live as long as what is returned. */
function strings(array $words): array
{
    global $ps;
    $list = $ps->new("const char *[" . count($words) + 1 . "]");
    $kept = [$list];
    foreach ($words as $index => $word) {
        $bytes = FFI::new("char[" . strlen($word) + 1 . "]");
        FFI::memcpy($bytes, $word, strlen($word));
        $list[$index] = FFI::cast("char *", FFI::addr($bytes));
        $kept[] = $bytes;
    }
    return $kept;
}

expect($ps->ps_version() >> 8 === ($ps->PS_VERSION_MAJOR << 8 | $ps->PS_VERSION_MINOR), "version");
done($ps->ps_command_new("sh", FFI::addr($command), FFI::addr($error)));
foreach (["-c", "exit 3"] as $word) {
    done($ps->ps_command_arg($command, $word, FFI::addr($error)));
}
done($ps->ps_spawn(null, $command, FFI::addr($child), FFI::addr($error)));
$end = $ps->new("ps_exit");
$end->size = FFI::sizeof($end);
done($ps->ps_reap($child, 10000, FFI::addr($end), FFI::addr($error)));
expect($end->kind === $ps->PS_EXIT_EXITED && $end->code === 3, "kind $end->kind, code $end->code");
expect($ps->ps_status_name($ps->PS_ERR_TIMEOUT) === "PS_ERR_TIMEOUT", "a name");
$ps->ps_child_free($child);
$ps->ps_command_free($command);

// A supervisor and its events.
$supervisor = $ps->new("ps_supervisor *");
done($ps->ps_supervisor_new(FFI::addr($supervisor), FFI::addr($error)));
done($ps->ps_command_new("cat", FFI::addr($command), FFI::addr($error)));
$words = strings(["--", "-"]);
done($ps->ps_command_args($command, $words[0], FFI::addr($error)));
done($ps->ps_command_input($command, "a\0b", 3, FFI::addr($error)));
done($ps->ps_command_capture($command, 4096, FFI::addr($error)));
done($ps->ps_command_user_data($command, PHP_INT_MIN + 5, FFI::addr($error)));
done($ps->ps_spawn($supervisor, $command, FFI::addr($child), FFI::addr($error)));
$event = $ps->new("ps_event");
$event->size = FFI::sizeof($event);
do {
    expect(done($ps->ps_supervisor_next_event($supervisor, 10000, FFI::addr($event), FFI::addr($error))) === $ps->PS_OK, "an event");
    expect($event->user_data === PHP_INT_MIN + 5 && $event->child == $child, "the word is $event->user_data");
} while ($event->kind !== $ps->PS_EVENT_EXITED);
expect($event->exit->code === 0 && $event->exit->started_ns > 0 && $event->exit->ended_ns >= $event->exit->started_ns, "how it ended");
[$needed, $room] = [$ps->new("size_t"), $ps->new("char[16]")];
done($ps->ps_child_output($child, $room, FFI::sizeof($room), FFI::addr($needed), FFI::addr($error)));
expect(FFI::string($room, $needed->cdata) === "a\0b", "what it said");
$ps->ps_child_free($child);
$ps->ps_command_free($command);

done($ps->ps_command_new("/no/such/program", FFI::addr($command), FFI::addr($error)));
expect($ps->ps_spawn($supervisor, $command, FFI::addr($child), FFI::addr($error)) === $ps->PS_ERR_NOT_FOUND, "it ran");
expect($ps->ps_error_errno($error) === 2 && str_contains($ps->ps_error_message($error), "/no/such/program"), "why");
$ps->ps_error_free($error);
$ps->ps_command_free($command);
$ps->ps_supervisor_free($supervisor);
echo "PHP ", PHP_VERSION, ": sizeof ps_exit ", FFI::sizeof($end), "\n";
