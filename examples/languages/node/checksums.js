// Checksums of files by sha256sum, four at a time, under Node's event loop, through koffi. The same program in ten languages: docs/languages.md.
//
//     npm install koffi
//     PROCSUP_LIBRARY=.../libprocsup.so.0.1 PROCSUP_FFI_HEADER=.../procsup.ffi.h node checksums.js [--by poll|async|worker] FILE... +LATER...
//
// +LATER is a file that is not there yet: it is tried again until it is, and a child of Node's own (child_process) makes it meanwhile. Ctrl-C
// stops all children by their stop plans; then the loop ends by itself.
//
// The trap: Node's own watchers take sockets and pipes only, and a supervisor's descriptor is neither. Three ways round it, --by:
//
//     poll      uv_poll_init and uv_poll_start: node exports libuv's calls, and koffi can call what the program itself exports. No thread. The
//               callback only asks for a turn of JavaScript (setImmediate): what is thrown within it itself is lost
//     async     koffi's call.async: ps_supervisor_next_event waits in one of the few threads of a pool, which is then not there for others
//     worker    a Worker that waits in the call, and posts what came
'use strict';

const childProcess = require('child_process');
const fs = require('fs');
const path = require('path');
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const koffi = require('koffi');

const AT_ONCE = 4;
const HEADER = fs.readFileSync(process.env.PROCSUP_FFI_HEADER || path.join(__dirname, '../../../include/procsup.ffi.h'), 'utf8');

// ---- the flat header, as koffi has it ----

const PS = {};
for (const [, name, value] of HEADER.matchAll(/\b(PS_\w+) = (-?\d+)/g)) PS[name] = Number(value);

function structure(name) {
  const body = HEADER.match(new RegExp(`typedef struct ${name} \\{([^}]*)\\}`))[1];
  const fields = {};
  for (const field of body.split(';').map((text) => text.trim()).filter(Boolean)) {
    const [, type, field_name, length] = field.match(/^(.*?)(\w+)(?:\[(\d+)\])?$/s);
    fields[field_name] = type.includes('*') ? 'void *' : length ? koffi.array(type.trim(), Number(length)) : type.trim();
  }
  return koffi.struct(name, fields);
}

structure('ps_exit');
const EVENT = structure('ps_event');
const library = koffi.load(process.env.PROCSUP_LIBRARY || 'libprocsup.so.0.1');

// A function by its prototype there. Handles are void *; what is written through a pointer is the first element of an array; bytes go into a Buffer.
function bind(name) {
  const [, result, parameters] = HEADER.match(new RegExp(`^([\\w *]+?)\\b${name}\\(([^()]*)\\);`, 'm'));
  const words = parameters.split(',').map((parameter) => {
    const type = parameter.replace(/\s+/g, ' ').trim();
    if (type === 'void' || /const char \*\w+$/.test(type) || !type.includes('*')) return type.replace('ps_status', 'int32_t');
    if (/\*\*\w+$/.test(type)) return type.replace(/.*\*\*/, '_Out_ void **');
    if (/^(int32_t|size_t) \*/.test(type)) return `_Out_ ${type}`;
    return type.replace(/.*\*/, 'void *');
  });
  return library.func(`${result.replace('ps_status', 'int32_t')} ${name}(${words.join(', ').replace(/^void$/, '')})`);
}

const ps = new Proxy({}, { get: (made, name) => (made[name] ??= bind(name)) });

// A call that can fail: its failure is an exception.
function check(name, status, error) {
  if (status >= 0) return status;
  const message = ps.ps_error_message(error[0]);
  ps.ps_error_free(error[0]);
  throw new Error(`${name}: ${message}`);
}

function call(name, ...args) {
  const error = [null];
  return check(name, ps[name](...args, error), error);
}

function eventBuffer() {
  const buffer = Buffer.alloc(koffi.sizeof(EVENT));
  buffer.writeUInt32LE(buffer.length);
  return buffer;
}

// What there is to take, behind those that were taken already.
function taken(supervisor, events = []) {
  let event = eventBuffer();
  for (; call('ps_supervisor_next_event', supervisor, 0, event) === PS.PS_OK; event = eventBuffer()) events.push(event);
  return events;
}

// ---- three ways to be told that there are events ----

// take(events) is called in a turn of JavaScript. Each gives what ends it.
const WATCH = {
  poll(supervisor, take) {
    const UV_POLL = 8; // uv_handle_type
    const UV_READABLE = 1;
    const self = koffi.load(null);
    const Ready = koffi.proto('void Ready(void *handle, int status, int events)');
    const uv = {
      loop: self.func('void *uv_default_loop()'), // the main thread's; a Worker has another
      size: self.func('size_t uv_handle_size(int type)'),
      init: self.func('int uv_poll_init(void *loop, void *handle, int fd)'),
      start: self.func('int uv_poll_start(void *handle, int events, Ready *ready)'),
      close: self.func('void uv_close(void *handle, void *closed)'),
    };
    const fd = [0];
    call('ps_supervisor_fd', supervisor, fd);
    const handle = koffi.alloc('uint8_t', Number(uv.size(UV_POLL)));
    const ready = koffi.register(() => {
      asked ??= setImmediate(() => {
        asked = undefined;
        take(taken(supervisor));
      });
    }, koffi.pointer(Ready));
    let asked;
    if (uv.init(uv.loop(), handle, fd[0]) !== 0 || uv.start(handle, UV_READABLE, ready) !== 0) throw new Error('libuv does not watch');
    return () => {
      clearImmediate(asked);
      uv.close(handle, null); // its memory is libuv's until the loop's next turn: it is not freed
    };
  },

  async(supervisor, take) {
    let over = false;
    const wait = () => {
      const event = eventBuffer();
      const error = [null];
      ps.ps_supervisor_next_event.async(supervisor, -1, event, error, (failed, status) => {
        if (failed) throw failed;
        const came = check('ps_supervisor_next_event', status, error) === PS.PS_OK; // PS_PENDING: a signal came
        take(taken(supervisor, came ? [event] : []));
        if (!over) wait();
      });
    };
    wait();
    return () => (over = true);
  },

  worker(supervisor, take) {
    const worker = new Worker(__filename, { workerData: { supervisor } });
    worker.on('message', (events) => take(events.map((event) => Buffer.from(event))));
    worker.on('error', (failed) => {
      throw failed;
    });
    return () => {}; // it ends by itself
  },
};

// What the Worker does: it waits until all is over.
function waitAsWorker(supervisor) {
  for (let over = false; !over; ) {
    const event = eventBuffer();
    if (call('ps_supervisor_next_event', supervisor, -1, event) !== PS.PS_OK) continue; // PS_PENDING: a signal came
    const events = taken(supervisor, [event]);
    over = events.some((event) => koffi.decode(event, EVENT).kind === PS.PS_EVENT_SHUTDOWN_DONE);
    parentPort.postMessage(events);
  }
}

// ---- the work ----

class Checksums {
  constructor(way, names) {
    this.names = names.map((name) => name.replace(/^\+/, ''));
    this.results = names.map(() => null);
    this.running = this.most = 0;
    this.own = undefined; // null while it runs, then its exit code
    this.interrupted = this.ending = false;
    const made = [null];
    call('ps_supervisor_new', made);
    this.supervisor = made[0];
    call('ps_supervisor_set_max_running', this.supervisor, AT_ONCE);
    this.children = names.map((name, number) => this.spawn(number, name.startsWith('+')));
    this.interrupt = () => {
      this.interrupted = true;
      this.end();
    };
    process.on('SIGINT', this.interrupt);
    this.unwatch = WATCH[way](this.supervisor, (events) => this.takeEvents(events));
  }

  spawn(number, later) {
    const command = [null];
    const child = [null];
    call('ps_command_new', 'sha256sum', command);
    if (later) {
      call('ps_command_restart', command[0], PS.PS_RESTART_ON_FAILURE, 10, 100);
      call('ps_command_restart_limit', command[0], 0, 10000); // 0: it never gives up
    }
    call('ps_command_arg', command[0], this.names[number]);
    call('ps_command_env', command[0], 'LC_ALL', 'C');
    call('ps_command_stdio', command[0], 0, PS.PS_STDIO_NULL, -1);
    call('ps_command_capture', command[0], 4096);
    call('ps_command_user_data', command[0], number);
    call('ps_spawn', this.supervisor, command[0], child); // or stands in line
    ps.ps_command_free(command[0]);
    return child[0];
  }

  takeEvents(events) {
    for (const event of events) this.onEvent(koffi.decode(event, EVENT));
    this.endIfAllIsOver();
  }

  onEvent(event) {
    const number = Number(event.user_data);
    switch (event.kind) {
      case PS.PS_EVENT_STARTED:
        this.most = Math.max(this.most, ++this.running);
        break;
      case PS.PS_EVENT_EXITED:
        this.running--;
        this.results[number] = this.result(number, event);
        break;
      case PS.PS_EVENT_RESTARTING: // comes right behind EXITED: that was not the last run
        this.results[number] = null;
        if (this.own === undefined) this.make(this.names[number]);
        break;
      case PS.PS_EVENT_FAILED:
      case PS.PS_EVENT_CANCELLED:
        this.results[number] = ps.ps_event_kind_name(event.kind);
        break;
      case PS.PS_EVENT_SHUTDOWN_DONE:
        this.unwatch();
        process.off('SIGINT', this.interrupt);
        setImmediate(() => this.report());
        break;
    }
  }

  result(number, event) {
    const buffer = Buffer.alloc(4096);
    const length = [0];
    call('ps_child_output', this.children[number], buffer, buffer.length, length);
    const output = buffer.toString('utf8', 0, Number(length[0])).trim();
    const end = event.exit;
    if (end.kind !== PS.PS_EXIT_EXITED) return `${ps.ps_signal_name(end.signal)}, ${ps.ps_cause_name(end.cause)}`;
    if (end.code !== 0) return `exit code ${end.code}: ${output}`;
    return output.split(' ')[0] + (event.run > 1 ? ' at a later run' : '');
  }

  // A child that procsup knows nothing of.
  async make(name) {
    this.own = null;
    const script = 'echo it has come >"$0.new" && mv "$0.new" "$0"; exit 7';
    const child = childProcess.spawn('sh', ['-c', script, name], { stdio: 'ignore' });
    this.own = await new Promise((ended) => child.on('exit', ended));
    this.endIfAllIsOver();
  }

  endIfAllIsOver() {
    if (this.own !== null && this.results.every((result) => result !== null)) this.end();
  }

  end() {
    if (!this.ending) call('ps_supervisor_shutdown', this.supervisor, 1000); // one last event says that all is over
    this.ending = true;
  }

  report() {
    for (const child of this.children) ps.ps_child_free(child);
    ps.ps_supervisor_free(this.supervisor);
    this.names.forEach((name, number) => console.log(`${name} ${this.results[number]}`));
    if (this.own !== undefined) console.log(`own child: exit code ${this.own}`);
    if (this.interrupted) console.log('interrupted');
    const kept = this.most <= AT_ONCE ? 'never more than' : 'MORE THAN';
    console.log(`${this.names.length} files, ${kept} ${AT_ONCE} at once, ${ps.ps_live_count()} children left`);
    process.exitCode = this.interrupted ? 130 : 0;
  }
}

if (!isMainThread) {
  waitAsWorker(workerData.supervisor);
} else {
  const args = process.argv.slice(2);
  const way = args[0] === '--by' ? args.splice(0, 2)[1] : 'poll';
  new Checksums(way, args);
}
