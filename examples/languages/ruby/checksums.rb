# Checksums of files by sha256sum, four at a time, under IO.select. The same program in ten languages: docs/languages.md.
#
#     PROCSUP_LIBRARY=.../libprocsup.so.0.1 PROCSUP_FFI_HEADER=.../procsup.ffi.h ruby checksums.rb FILE... +LATER...
#
# +LATER is a file that is not there yet: it is tried again until it is, and a child of Ruby's own (Process.spawn) makes it meanwhile. Ctrl-C stops
# all children by their stop plans; then the loop ends by itself.
#
# Two traps. Fiddle lets go of Ruby's lock while a call runs, and a call that waits then cannot be interrupted, not by Ctrl-C either: nothing waits
# here but IO.select. And where programs are started the lock is kept (need_gvl), for ENV= of another thread would move the environment away
# meanwhile. Process.wait without a pid, and Process.waitall, would take the statuses of procsup's children: Process.detach waits for the one pid.
require "fiddle"

AT_ONCE = 4
HEADER = File.read(ENV["PROCSUP_FFI_HEADER"] || File.expand_path("../../../include/procsup.ffi.h", __dir__))
LIBRARY = Fiddle.dlopen(ENV["PROCSUP_LIBRARY"] || "libprocsup.so.0.1")

# ---- the flat header, as Fiddle has it ----

HEADER.scan(/\b(PS_\w+) = (-?\d+)/) { |name, value| Object.const_set(name, value.to_i) }

module PS
  SIZES = {"int32_t" => [4, "l"], "uint32_t" => [4, "L"], "int64_t" => [8, "q"], "uint64_t" => [8, "Q"], "size_t" => [8, "Q"], "void *" => [8, "Q"]}
  TYPES = {"void" => Fiddle::TYPE_VOID, "ps_status" => Fiddle::TYPE_INT, "int32_t" => Fiddle::TYPE_INT, "uint32_t" => -Fiddle::TYPE_INT,
           "int64_t" => Fiddle::TYPE_LONG_LONG, "uint64_t" => -Fiddle::TYPE_LONG_LONG, "size_t" => Fiddle::TYPE_SIZE_T}
  STARTS = %w[ps_spawn ps_spawn_replicas ps_supervisor_next_event] # programs
  @functions = {}

  # A structure as bytes: where its members stand, naturally aligned.
  class Layout
    attr_reader :size

    def initialize(name)
      @members, at = {}, 0
      HEADER[/typedef struct #{name} \{([^}]*)\}/, 1].split(";").map(&:strip).reject(&:empty?).each do |words|
        type, member, count = words.match(/\A(.*?)(\w+)(?:\[(\d+)\])?\z/m).captures
        type = type.include?("*") ? "void *" : type.strip
        size, code = SIZES[type] || [Layout.new(type), nil]
        inner = size.is_a?(Layout) ? size : nil
        width, align = inner ? [inner.size, 8] : [size, size]
        at = (at + align - 1) / align * align
        @members[member.to_sym] = [at, inner || code]
        at += width * (count || 1).to_i
      end
      @size = (at + 7) / 8 * 8
    end

    def new_bytes
      [@size].pack("L").ljust(@size, "\0")
    end

    def get(bytes, *path, from: 0)
      at, what = @members.fetch(path.first)
      what.is_a?(Layout) ? what.get(bytes, *path.drop(1), from: from + at) : bytes[from + at, 8].unpack1(what)
    end
  end

  def self.function(name)
    @functions[name] ||= begin
      result, parameters = HEADER.match(/^([\w *]+?)\b#{name}\(([^()]*)\);/m).captures
      types = parameters == "void" ? [] : parameters.split(",").map { |words| type_of(words) }
      Fiddle::Function.new(LIBRARY[name.to_s], types, type_of(result), need_gvl: STARTS.include?(name.to_s))
    end
  end

  def self.type_of(words)
    words.include?("*") ? Fiddle::TYPE_VOIDP : TYPES.fetch(words.split.first)
  end

  # A place for a handle, or a number, that a call gives.
  def self.place
    "\0" * 8
  end

  # A call that can fail: its failure is an exception.
  def self.call(name, *arguments)
    error = place
    status = function(name).call(*arguments, error)
    return status if status >= 0
    error = error.unpack1("Q")
    message = function(:ps_error_message).call(error).to_s
    function(:ps_error_free).call(error)
    raise "#{name}: #{message}"
  end

  # A handle that a call makes: its place is the last argument.
  def self.make(name, *arguments)
    place.tap { |made| call(name, *arguments, made) }.unpack1("Q")
  end

  def self.named(name, number)
    function(name).call(number).to_s
  end

  EVENT = Layout.new("ps_event")
end

# ---- the work ----

class Checksums
  def initialize(names)
    @names = names.map { |name| name.delete_prefix("+") }
    @results = [nil] * names.size
    @running = @most = 0
    @own = @own_code = nil
    @interrupted = @ending = @done = false
    @supervisor = PS.make(:ps_supervisor_new)
    PS.call(:ps_supervisor_set_max_running, @supervisor, AT_ONCE)
    fd = PS.place
    PS.call(:ps_supervisor_fd, @supervisor, fd)
    @ready = IO.for_fd(fd.unpack1("l"), autoclose: false) # the descriptor is the supervisor's
    @told, @tell = IO.pipe # by a trap, or by a thread that waits for a child
    trap("INT") { @tell.write_nonblock("i") }
    @children = names.each_with_index.map { |name, number| spawn(number, name.start_with?("+")) }
  end

  def spawn(number, later)
    command = PS.make(:ps_command_new, "sha256sum")
    if later
      PS.call(:ps_command_restart, command, PS_RESTART_ON_FAILURE, 10, 100)
      PS.call(:ps_command_restart_limit, command, 0, 10_000) # 0: it never gives up
    end
    PS.call(:ps_command_arg, command, @names[number])
    PS.call(:ps_command_env, command, "LC_ALL", "C")
    PS.call(:ps_command_stdio, command, 0, PS_STDIO_NULL, -1)
    PS.call(:ps_command_capture, command, 4096)
    PS.call(:ps_command_user_data, command, number)
    PS.make(:ps_spawn, @supervisor, command) # or stands in line
  ensure
    PS.function(:ps_command_free).call(command)
  end

  def run
    until @done
      readable, = IO.select([@ready, @told])
      take_events if readable.include?(@ready)
      listen if readable.include?(@told)
    end
  end

  def take_events
    event = PS::EVENT.new_bytes
    on_event(event) while PS.call(:ps_supervisor_next_event, @supervisor, 0, event) == PS_OK
    end_if_all_is_over
  end

  def on_event(event)
    number = PS::EVENT.get(event, :user_data)
    case PS::EVENT.get(event, :kind)
    when PS_EVENT_STARTED
      @running += 1
      @most = [@most, @running].max
    when PS_EVENT_EXITED
      @running -= 1
      @results[number] = result(number, event)
    when PS_EVENT_RESTARTING # comes right behind EXITED: that was not the last run
      @results[number] = nil
      make(@names[number]) unless @own
    when PS_EVENT_FAILED, PS_EVENT_CANCELLED
      @results[number] = PS.named(:ps_event_kind_name, PS::EVENT.get(event, :kind))
    when PS_EVENT_SHUTDOWN_DONE
      @done = true
    end
  end

  def result(number, event)
    length, buffer = PS.place, "\0" * 4096
    PS.call(:ps_child_output, @children[number], buffer, buffer.bytesize, length)
    output = buffer[0, length.unpack1("Q")].strip
    kind, code, signal, cause = %i[kind code signal cause].map { |member| PS::EVENT.get(event, :exit, member) }
    return "#{PS.named(:ps_signal_name, signal)}, #{PS.named(:ps_cause_name, cause)}" if kind != PS_EXIT_EXITED
    return "exit code #{code}: #{output}" if code != 0
    output.split.first + (PS::EVENT.get(event, :run) > 1 ? " at a later run" : "")
  end

  # A child that procsup knows nothing of.
  def make(name)
    @own = Process.detach(Process.spawn("sh", "-c", 'echo it has come >"$0.new" && mv "$0.new" "$0"; exit 7', name))
    Thread.new { @own.join && @tell.write("c") }
  end

  def listen
    @told.read_nonblock(16).each_char do |what|
      if what == "i"
        @interrupted = true
        finish
      else
        @own_code = @own.value.exitstatus
        end_if_all_is_over
      end
    end
  end

  def end_if_all_is_over
    finish if @results.all? && (@own.nil? || @own_code)
  end

  def finish
    PS.call(:ps_supervisor_shutdown, @supervisor, 1000) unless @ending # one last event says that all is over
    @ending = true
  end

  def report
    @children.each { |child| PS.function(:ps_child_free).call(child) }
    PS.function(:ps_supervisor_free).call(@supervisor)
    @names.zip(@results) { |name, result| puts "#{name} #{result}" }
    puts "own child: exit code #{@own_code}" if @own_code
    puts "interrupted" if @interrupted
    kept = @most <= AT_ONCE ? "never more than" : "MORE THAN"
    puts "#{@names.size} files, #{kept} #{AT_ONCE} at once, #{PS.function(:ps_live_count).call} children left"
    @interrupted ? 130 : 0
  end
end

work = Checksums.new(ARGV)
work.run
exit(work.report)
