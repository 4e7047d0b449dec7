// Checksums of files by sha256sum, four at a time, on an executor of Java's, through JNA. The same program in ten languages: docs/languages.md.
//
//     PROCSUP_LIBRARY=.../libprocsup.so.0.1 PROCSUP_FFI_HEADER=.../procsup.ffi.h java -cp /usr/share/java/jna.jar Checksums.java FILE... +LATER...
//
// +LATER is a file that is not there yet: it is tried again until it is, and a child of Java's own (ProcessBuilder) makes it meanwhile. Ctrl-C
// stops all children by their stop plans; then the program ends by itself.
//
// The trap: a Selector takes channels of Java's only, and no descriptor. So one thread waits in ps_supervisor_next_event, and gives what came to the
// thread on which all the work is done, an executor's. There are also the ends of Java's own processes told (Process.onExit), and Ctrl-C (a
// shutdown hook).
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.Structure;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Checksums {
    static final int AT_ONCE = 4;

    // ---- what of the library is used here. size_t is long: there are no 32-bit machines that it runs on ----

    public interface Procsup extends Library {
        int ps_supervisor_new(PointerByReference supervisor, PointerByReference error);
        int ps_supervisor_set_max_running(Pointer supervisor, int n, PointerByReference error);
        int ps_supervisor_next_event(Pointer supervisor, long timeoutMs, Event event, PointerByReference error);
        int ps_supervisor_shutdown(Pointer supervisor, long graceMs, PointerByReference error);
        void ps_supervisor_free(Pointer supervisor);
        int ps_command_new(String program, PointerByReference command, PointerByReference error);
        int ps_command_arg(Pointer command, String arg, PointerByReference error);
        int ps_command_env(Pointer command, String name, String value, PointerByReference error);
        int ps_command_stdio(Pointer command, int stream, int how, int fd, PointerByReference error);
        int ps_command_capture(Pointer command, long maxBytes, PointerByReference error);
        int ps_command_restart(Pointer command, int policy, long minDelayMs, long maxDelayMs, PointerByReference error);
        int ps_command_restart_limit(Pointer command, int failures, long healthyMs, PointerByReference error);
        int ps_command_user_data(Pointer command, long userData, PointerByReference error);
        void ps_command_free(Pointer command);
        int ps_spawn(Pointer supervisor, Pointer command, PointerByReference child, PointerByReference error);
        int ps_child_output(Pointer child, byte[] buf, long cap, LongByReference needed, PointerByReference error);
        void ps_child_free(Pointer child);
        int ps_live_count();
        String ps_signal_name(int signal);
        String ps_cause_name(int cause);
        String ps_event_kind_name(int kind);
        String ps_error_message(Pointer error);
        void ps_error_free(Pointer error);
    }

    @Structure.FieldOrder({"size", "kind", "code", "signal", "core_dumped", "cause", "user_us", "system_us", "max_rss_kib", "started_ns", "ended_ns",
        "removal", "removal_errno", "reserved"})
    public static class Exit extends Structure {
        public int size, kind, code, signal, core_dumped, cause;
        public long user_us, system_us, max_rss_kib, started_ns, ended_ns;
        public int removal, removal_errno;
        public long[] reserved = new long[3];
    }

    @Structure.FieldOrder({"size", "kind", "child", "pid", "stream", "user_data", "time_ns", "exit", "status", "run", "delay_ms", "lost_lines",
        "lost_bytes", "reason", "storm", "retry_after_ms"})
    public static class Event extends Structure {
        public int size, kind;
        public Pointer child;
        public int pid, stream;
        public long user_data, time_ns;
        public Exit exit;
        public int status, run;
        public long delay_ms, lost_lines, lost_bytes;
        public int reason, storm;
        public long retry_after_ms;
    }

    static final Procsup PS = Native.load(Objects.requireNonNullElse(System.getenv("PROCSUP_LIBRARY"), "libprocsup.so.0.1"), Procsup.class);
    static final Map<String, Integer> NUMBERS = new HashMap<>(); // the constants, out of the flat header

    static int number(String name) {
        return NUMBERS.get(name);
    }

    interface Call {
        int with(PointerByReference error);
    }

    /** A call that can fail: its failure is an exception. */
    static int call(Call made) {
        PointerByReference error = new PointerByReference();
        int status = made.with(error);
        if (status >= 0)
            return status;
        String message = PS.ps_error_message(error.getValue());
        PS.ps_error_free(error.getValue());
        throw new IllegalStateException(message);
    }

    // ---- the work; all of it on the executor's thread, but for what is marked ----

    final List<String> names = new ArrayList<>();
    final String[] results;
    final List<Pointer> children = new ArrayList<>();
    final Pointer supervisor;
    int running, most;
    Process own;
    boolean ownEnded, ending, interrupted;
    final ExecutorService loop = Executors.newSingleThreadExecutor();
    final CompletableFuture<Void> done = new CompletableFuture<>(), reported = new CompletableFuture<>();

    Checksums(String[] words) {
        PointerByReference made = new PointerByReference();
        call(error -> PS.ps_supervisor_new(made, error));
        supervisor = made.getValue();
        results = new String[words.length];
        call(error -> PS.ps_supervisor_set_max_running(supervisor, AT_ONCE, error));
        for (String word : words) {
            names.add(word.startsWith("+") ? word.substring(1) : word);
            children.add(spawn(names.size() - 1, word.startsWith("+")));
        }
    }

    Pointer spawn(int number, boolean later) {
        PointerByReference made = new PointerByReference(), child = new PointerByReference();
        call(error -> PS.ps_command_new("sha256sum", made, error));
        Pointer command = made.getValue();
        if (later) {
            call(error -> PS.ps_command_restart(command, number("PS_RESTART_ON_FAILURE"), 10, 100, error));
            call(error -> PS.ps_command_restart_limit(command, 0, 10000, error)); // 0: it never gives up
        }
        call(error -> PS.ps_command_arg(command, names.get(number), error));
        call(error -> PS.ps_command_env(command, "LC_ALL", "C", error));
        call(error -> PS.ps_command_stdio(command, 0, number("PS_STDIO_NULL"), -1, error));
        call(error -> PS.ps_command_capture(command, 4096, error));
        call(error -> PS.ps_command_user_data(command, number, error));
        call(error -> PS.ps_spawn(supervisor, command, child, error)); // or stands in line
        PS.ps_command_free(command);
        return child.getValue();
    }

    /** The thread that waits. */
    void waitForEvents() {
        try {
            for (boolean over = false; !over;) {
                List<Event> events = new ArrayList<>();
                for (Event event = take(-1); event != null; event = take(0)) // for ever, and then what there is; null: a signal came
                    events.add(event);
                over = events.stream().anyMatch(event -> event.kind == number("PS_EVENT_SHUTDOWN_DONE"));
                loop.execute(() -> onEvents(events));
            }
        } catch (RuntimeException why) {
            done.completeExceptionally(why);
        }
    }

    Event take(long timeoutMs) {
        Event event = new Event();
        event.size = event.size();
        return call(error -> PS.ps_supervisor_next_event(supervisor, timeoutMs, event, error)) == number("PS_OK") ? event : null;
    }

    void onEvents(List<Event> events) {
        try {
            events.forEach(this::onEvent);
            endIfAllIsOver();
        } catch (RuntimeException why) {
            done.completeExceptionally(why);
        }
    }

    void onEvent(Event event) {
        int number = (int) event.user_data;
        if (event.kind == number("PS_EVENT_STARTED")) {
            most = Math.max(most, ++running);
        } else if (event.kind == number("PS_EVENT_EXITED")) {
            running--;
            results[number] = result(number, event);
        } else if (event.kind == number("PS_EVENT_RESTARTING")) { // comes right behind EXITED: that was not the last run
            results[number] = null;
            if (own == null)
                make(names.get(number));
        } else if (event.kind == number("PS_EVENT_FAILED") || event.kind == number("PS_EVENT_CANCELLED")) {
            results[number] = PS.ps_event_kind_name(event.kind);
        } else if (event.kind == number("PS_EVENT_SHUTDOWN_DONE")) {
            done.complete(null);
        }
    }

    String result(int number, Event event) {
        byte[] buffer = new byte[4096];
        LongByReference length = new LongByReference();
        call(error -> PS.ps_child_output(children.get(number), buffer, buffer.length, length, error));
        String output = new String(buffer, 0, (int) length.getValue(), StandardCharsets.UTF_8).trim();
        if (event.exit.kind != number("PS_EXIT_EXITED"))
            return PS.ps_signal_name(event.exit.signal) + ", " + PS.ps_cause_name(event.exit.cause);
        if (event.exit.code != 0)
            return "exit code " + event.exit.code + ": " + output;
        return output.split(" ")[0] + (event.run > 1 ? " at a later run" : "");
    }

    /** Starts a child that procsup knows nothing of. A thread of Java's waits for its pid. */
    void make(String name) {
        try {
            own = new ProcessBuilder("sh", "-c", "echo it has come >\"$0.new\" && mv \"$0.new\" \"$0\"; exit 7", name).start();
            own.onExit().thenRunAsync(() -> {
                ownEnded = true;
                endIfAllIsOver();
            }, loop);
        } catch (java.io.IOException why) {
            throw new IllegalStateException(why);
        }
    }

    void endIfAllIsOver() {
        for (String result : results)
            if (result == null)
                return;
        if (own == null || ownEnded)
            end();
    }

    void end() {
        if (!ending)
            call(error -> PS.ps_supervisor_shutdown(supervisor, 1000, error)); // one last event says that all is over
        ending = true;
    }

    /** On a thread of Java's, at Ctrl-C and at every end: the process is over when it returns. */
    void hook() {
        if (reported.isDone())
            return;
        loop.execute(() -> {
            interrupted = true;
            end();
        });
        reported.join();
    }

    void report() {
        for (Pointer child : children)
            PS.ps_child_free(child);
        PS.ps_supervisor_free(supervisor);
        for (int number = 0; number < results.length; number++)
            System.out.println(names.get(number) + " " + results[number]);
        if (ownEnded)
            System.out.println("own child: exit code " + own.exitValue());
        if (interrupted)
            System.out.println("interrupted");
        String kept = most <= AT_ONCE ? "never more than" : "MORE THAN";
        System.out.println(names.size() + " files, " + kept + " " + AT_ONCE + " at once, " + PS.ps_live_count() + " children left");
    }

    public static void main(String[] words) throws Exception {
        Path header = Path.of(Objects.requireNonNullElse(System.getenv("PROCSUP_FFI_HEADER"), "procsup.ffi.h"));
        for (Matcher found = Pattern.compile("\\b(PS_\\w+) = (-?\\d+)").matcher(Files.readString(header)); found.find();)
            NUMBERS.put(found.group(1), Integer.parseInt(found.group(2)));
        Checksums work = new Checksums(words);
        Runtime.getRuntime().addShutdownHook(new Thread(work::hook));
        new Thread(work::waitForEvents, "procsup").start();
        try {
            work.done.join();
            work.report();
        } finally {
            work.loop.shutdown();
            work.reported.complete(null);
        }
    }
}
