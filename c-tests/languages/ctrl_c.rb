# Ctrl-C while Ruby waits within calls of the library, through Fiddle: see ctrl_c.py. Arguments: LIBRARY.
begin
  require "fiddle"
rescue LoadError
  puts "Ruby has no Fiddle here"
  exit 77
end

LIBRARY = Fiddle.dlopen(ARGV[0])
POINTER, LONG, SIZE, INT = Fiddle::TYPE_VOIDP, Fiddle::TYPE_LONG_LONG, Fiddle::TYPE_SIZE_T, Fiddle::TYPE_INT
$error = Fiddle::Pointer.malloc(8, Fiddle::RUBY_FREE)

def function(name, types, result = INT)
  Fiddle::Function.new(LIBRARY[name], types, result)
end

MESSAGE = function("ps_error_message", [POINTER], POINTER)

def call(name, types, *arguments)
  status = function(name, types + [POINTER]).call(*arguments, $error)
  raise MESSAGE.call($error.ptr).to_s if status.negative?
  status
end

# Makes an object; its handle.
def make(name, types, *arguments)
  place = Fiddle::Pointer.malloc(8, Fiddle::RUBY_FREE)
  call(name, types + [POINTER], *arguments, place)
  place.ptr
end

supervisor = make("ps_supervisor_new", [])
command = make("ps_command_new", [POINTER], "sleep")
call("ps_command_arg", [POINTER, POINTER], command, "1000")
call("ps_command_readiness", [POINTER, INT, POINTER, LONG], command, 1, nil, -1) # PS_READY_NOTIFY, which it never says
child = make("ps_spawn", [POINTER, POINTER], supervisor, command)
event = Fiddle::Pointer.malloc(1024, Fiddle::RUBY_FREE)
event[0, 4] = [1024].pack("L")
call("ps_supervisor_next_event", [POINTER, LONG, POINTER], supervisor, -1, event) # STARTED
index = Fiddle::Pointer.malloc(8, Fiddle::RUBY_FREE)
children = Fiddle::Pointer[[child.to_i].pack("J")]

waits = {
  "next_event" => -> { call("ps_supervisor_next_event", [POINTER, LONG, POINTER], supervisor, -1, event) },
  "wait_ready" => -> { call("ps_wait_ready", [POINTER, LONG], child, 60_000) },
  "wait_any" => -> { call("ps_wait_any", [POINTER, SIZE, LONG, POINTER], children, 1, 60_000, index) },
  "wait_all" => -> { call("ps_wait_all", [POINTER, SIZE, LONG], children, 1, 60_000) },
}
$stdout.sync = true
waits.each do |name, wait|
  begin
    puts "waiting #{name}"
    wait.call
    puts "missed #{name}"
  rescue Interrupt
    puts "interrupted #{name}"
  end
end
call("ps_terminate", [POINTER, LONG, POINTER], child, 0, nil)
{ "child" => child, "command" => command, "supervisor" => supervisor }.each do |kind, handle|
  function("ps_#{kind}_free", [POINTER], Fiddle::TYPE_VOID).call(handle)
end
puts "done"
