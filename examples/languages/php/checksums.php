<?php
// Checksums of files by sha256sum, four at a time, under stream_select. The same program in ten languages: docs/languages.md.
//
//     PROCSUP_LIBRARY=.../libprocsup.so.0.1 PROCSUP_FFI_HEADER=.../procsup.ffi.h php checksums.php FILE... +LATER...
//
// +LATER is a file that is not there yet: it is tried again until it is, and a child of PHP's own (proc_open) makes it meanwhile. Ctrl-C stops all
// children by their stop plans; then the loop ends by itself.
//
// Two traps. fopen("php://fd/N") duplicates the descriptor: the stream is PHP's to close, and the supervisor keeps its own. And PHP runs its signal
// handlers between two steps of the program: a signal that comes right before the wait is heard when that is over. So the wait has an end.
if (!extension_loaded("ffi") || !extension_loaded("pcntl")) {
    echo "PHP has no FFI or no pcntl here\n";
    exit(77);
}
const AT_ONCE = 4;
$header = getenv("PROCSUP_FFI_HEADER") ?: __DIR__ . "/../../../include/procsup.ffi.h";
$ps = FFI::cdef(file_get_contents($header), getenv("PROCSUP_LIBRARY") ?: "libprocsup.so.0.1");

// A call that can fail: its failure is an exception. The last argument of each is the place for the error.
function call(string $name, ...$arguments): int
{
    global $ps;
    $error = $ps->new("ps_error *");
    $status = $ps->$name(...[...$arguments, FFI::addr($error)]);
    if ($status >= 0) {
        return $status;
    }
    $message = $ps->ps_error_message($error);
    $ps->ps_error_free($error);
    throw new Exception("$name: $message");
}

// What a call makes, or a number that it gives: its place is the last argument but that.
function made(string $type, string $name, ...$arguments)
{
    global $ps;
    $made = $ps->new($type);
    call($name, ...[...$arguments, FFI::addr($made)]);
    return $made;
}

class Checksums
{
    private array $names, $results, $children = [];
    private int $running = 0, $most = 0;
    private $own = null, $said = null;
    private ?int $ownCode = null;
    private bool $interrupted = false, $ending = false, $done = false;
    private $ps, $supervisor, $ready;

    public function __construct(array $names)
    {
        global $ps;
        $this->ps = $ps;
        $this->names = array_map(fn ($name) => ltrim($name, "+"), $names);
        $this->results = array_fill(0, count($names), null);
        $this->supervisor = made("ps_supervisor *", "ps_supervisor_new");
        call("ps_supervisor_set_max_running", $this->supervisor, AT_ONCE);
        $fd = made("int32_t", "ps_supervisor_fd", $this->supervisor)->cdata;
        $this->ready = fopen("php://fd/$fd", "r");
        pcntl_async_signals(true);
        pcntl_signal(SIGINT, function () {
            $this->interrupted = true;
            $this->end();
        });
        foreach ($names as $number => $name) {
            $this->children[] = $this->spawn($number, $name[0] === "+");
        }
    }

    private function spawn(int $number, bool $later)
    {
        $command = made("ps_command *", "ps_command_new", "sha256sum");
        if ($later) {
            call("ps_command_restart", $command, $this->ps->PS_RESTART_ON_FAILURE, 10, 100);
            call("ps_command_restart_limit", $command, 0, 10000); // 0: it never gives up
        }
        call("ps_command_arg", $command, $this->names[$number]);
        call("ps_command_env", $command, "LC_ALL", "C");
        call("ps_command_stdio", $command, 0, $this->ps->PS_STDIO_NULL, -1);
        call("ps_command_capture", $command, 4096);
        call("ps_command_user_data", $command, $number);
        $child = made("ps_child *", "ps_spawn", $this->supervisor, $command); // or stands in line
        $this->ps->ps_command_free($command);
        return $child;
    }

    public function run(): void
    {
        while (!$this->done) {
            $readable = array_filter([$this->ready, $this->said]);
            $none = null;
            if (@stream_select($readable, $none, $none, 0, 200000) === false) {
                continue; // a signal came
            }
            if (in_array($this->said, $readable, true)) {
                $this->ownChildEnds();
            }
            $this->takeEvents(); // also when nothing was told
        }
    }

    private function takeEvents(): void
    {
        $event = $this->ps->new("ps_event");
        $event->size = FFI::sizeof($event);
        while (call("ps_supervisor_next_event", $this->supervisor, 0, FFI::addr($event)) === $this->ps->PS_OK) {
            $this->onEvent($event);
        }
        $this->endIfAllIsOver();
    }

    private function onEvent($event): void
    {
        $number = $event->user_data;
        switch ($event->kind) {
            case $this->ps->PS_EVENT_STARTED:
                $this->most = max($this->most, ++$this->running);
                break;
            case $this->ps->PS_EVENT_EXITED:
                $this->running--;
                $this->results[$number] = $this->result($number, $event);
                break;
            case $this->ps->PS_EVENT_RESTARTING: // comes right behind EXITED: that was not the last run
                $this->results[$number] = null;
                $this->own ?? $this->make($this->names[$number]);
                break;
            case $this->ps->PS_EVENT_FAILED:
            case $this->ps->PS_EVENT_CANCELLED:
                $this->results[$number] = $this->ps->ps_event_kind_name($event->kind);
                break;
            case $this->ps->PS_EVENT_SHUTDOWN_DONE:
                $this->done = true;
        }
    }

    private function result(int $number, $event): string
    {
        [$buffer, $length] = [$this->ps->new("char[4096]"), $this->ps->new("size_t")];
        call("ps_child_output", $this->children[$number], $buffer, 4096, FFI::addr($length));
        $output = trim(FFI::string($buffer, $length->cdata));
        $end = $event->exit;
        if ($end->kind !== $this->ps->PS_EXIT_EXITED) {
            return $this->ps->ps_signal_name($end->signal) . ", " . $this->ps->ps_cause_name($end->cause);
        }
        if ($end->code !== 0) {
            return "exit code $end->code: $output";
        }
        return strtok($output, " ") . ($event->run > 1 ? " at a later run" : "");
    }

    // A child that procsup knows nothing of. The end of its output tells of its own.
    private function make(string $name): void
    {
        $script = 'echo it has come >"$0.new" && mv "$0.new" "$0"; exit 7';
        $this->own = proc_open(["sh", "-c", $script, $name], [1 => ["pipe", "w"]], $pipes);
        $this->said = $pipes[1];
    }

    private function ownChildEnds(): void
    {
        if (fread($this->said, 4096) !== "" || !feof($this->said)) {
            return;
        }
        fclose($this->said);
        $this->said = null;
        $this->ownCode = proc_close($this->own); // waits for its pid, and gives its exit code
    }

    private function endIfAllIsOver(): void
    {
        if (!in_array(null, $this->results, true) && ($this->own === null || $this->ownCode !== null)) {
            $this->end();
        }
    }

    private function end(): void
    {
        if (!$this->ending) {
            $this->ending = true;
            call("ps_supervisor_shutdown", $this->supervisor, 1000); // one last event says that all is over
        }
    }

    public function report(): int
    {
        fclose($this->ready);
        array_map(fn ($child) => $this->ps->ps_child_free($child), $this->children);
        $this->ps->ps_supervisor_free($this->supervisor);
        foreach ($this->names as $number => $name) {
            echo "$name {$this->results[$number]}\n";
        }
        echo $this->ownCode === null ? "" : "own child: exit code $this->ownCode\n", $this->interrupted ? "interrupted\n" : "";
        $kept = $this->most <= AT_ONCE ? "never more than" : "MORE THAN";
        echo count($this->names), " files, $kept ", AT_ONCE, " at once, ", $this->ps->ps_live_count(), " children left\n";
        return $this->interrupted ? 130 : 0;
    }
}

$work = new Checksums(array_slice($argv, 1));
$work->run();
exit($work->report());
