// Checksums of files by sha256sum, four at a time, under Go's own poller, through cgo. The same program in ten languages: docs/languages.md.
//
//	CGO_CFLAGS=-I... CGO_LDFLAGS="-L... -lprocsup" go build checksums.go && ./checksums FILE... +LATER...
//
// +LATER is a file that is not there yet: it is tried again until it is, and a child of Go's own (os/exec) makes it meanwhile. Ctrl-C stops all
// children by their stop plans; then the program ends by itself.
//
// The trap: a call that waits in C keeps a thread of the system for as long. So nothing waits there: the descriptor waits in Go's poller, as any
// file. Three words make it one: dup (an os.File closes what it holds, by its finalizer too), nonblock (else os.NewFile takes it for a plain file,
// and does not poll it), os.NewFile. The poller is edge-triggered: take all events before the next wait.
package main

/*
#include <procsup.h>
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"unsafe"
)

const atOnce = 4

type file struct {
	name, result string
	child        *C.ps_child
}

type checksums struct {
	supervisor                *C.ps_supervisor
	files                     []file
	running, most             int
	own                       chan int // its exit code
	ownCode                   int
	ownRuns, ownEnded         bool
	interrupted, ending, done bool
}

// check makes an error of Go's of what a call says.
func check(status C.ps_status, failure *C.ps_error) {
	if status < 0 {
		message := C.GoString(C.ps_error_message(failure))
		C.ps_error_free(failure)
		panic(errors.New(message))
	}
}

// text gives a string to C for as long as the call is not back.
func text(words string, use func(*C.char)) {
	copied := C.CString(words)
	defer C.free(unsafe.Pointer(copied))
	use(copied)
}

func (work *checksums) spawn(number int, later bool) {
	var failure *C.ps_error
	var command *C.ps_command
	text("sha256sum", func(program *C.char) { check(C.ps_command_new(program, &command, &failure), failure) })
	defer C.ps_command_free(command)
	if later {
		check(C.ps_command_restart(command, C.PS_RESTART_ON_FAILURE, 10, 100, &failure), failure)
		check(C.ps_command_restart_limit(command, 0, 10000, &failure), failure) // 0: it never gives up
	}
	text(work.files[number].name, func(name *C.char) { check(C.ps_command_arg(command, name, &failure), failure) })
	text("LC_ALL", func(name *C.char) {
		text("C", func(value *C.char) { check(C.ps_command_env(command, name, value, &failure), failure) })
	})
	check(C.ps_command_stdio(command, 0, C.PS_STDIO_NULL, -1, &failure), failure)
	check(C.ps_command_capture(command, 4096, &failure), failure)
	check(C.ps_command_user_data(command, C.uint64_t(number), &failure), failure)
	check(C.ps_spawn(work.supervisor, command, &work.files[number].child, &failure), failure) // or stands in line
}

// ready tells, from a goroutine, whenever there may be events, and goes on when they were taken.
func ready(watched *os.File, over chan struct{}) chan struct{} {
	told := make(chan struct{})
	raw, err := watched.SyscallConn()
	if err != nil {
		panic(err)
	}
	go raw.Read(func(uintptr) bool { // is asked first, and again at each edge, until it says true or the file is closed
		select {
		case told <- struct{}{}:
			<-told
			return false
		case <-over:
			return true
		}
	})
	return told
}

func (work *checksums) takeEvents() {
	var failure *C.ps_error
	event := C.ps_event{size: C.uint32_t(unsafe.Sizeof(C.ps_event{}))}
	for {
		status := C.ps_supervisor_next_event(work.supervisor, 0, &event, &failure)
		check(status, failure)
		if status != C.PS_OK {
			break
		}
		work.onEvent(&event)
	}
	work.endIfAllIsOver()
}

func (work *checksums) onEvent(event *C.ps_event) {
	if event.kind == C.PS_EVENT_SHUTDOWN_DONE { // of no child
		work.done = true
		return
	}
	file := &work.files[event.user_data]
	switch event.kind {
	case C.PS_EVENT_STARTED:
		if work.running++; work.running > work.most {
			work.most = work.running
		}
	case C.PS_EVENT_EXITED:
		work.running--
		file.result = result(file.child, event)
	case C.PS_EVENT_RESTARTING: // comes right behind EXITED: that was not the last run
		file.result = ""
		if !work.ownRuns {
			work.make(file.name)
		}
	case C.PS_EVENT_FAILED, C.PS_EVENT_CANCELLED:
		file.result = C.GoString(C.ps_event_kind_name(event.kind))
	}
}

func result(child *C.ps_child, event *C.ps_event) string {
	var failure *C.ps_error
	var length C.size_t
	buffer := make([]byte, 4096)
	check(C.ps_child_output(child, (*C.char)(unsafe.Pointer(&buffer[0])), C.size_t(len(buffer)), &length, &failure), failure)
	output, end := strings.TrimSpace(string(buffer[:length])), event.exit
	if end.kind != C.PS_EXIT_EXITED {
		return C.GoString(C.ps_signal_name(end.signal)) + ", " + C.GoString(C.ps_cause_name(end.cause))
	}
	if end.code != 0 {
		return fmt.Sprintf("exit code %d: %s", end.code, output)
	}
	if event.run > 1 {
		return strings.Fields(output)[0] + " at a later run"
	}
	return strings.Fields(output)[0]
}

// make starts a child that procsup knows nothing of.
func (work *checksums) make(name string) {
	work.ownRuns = true
	command := exec.Command("sh", "-c", `echo it has come >"$0.new" && mv "$0.new" "$0"; exit 7`, name)
	if err := command.Start(); err != nil {
		panic(err)
	}
	go func() {
		command.Wait()
		work.own <- command.ProcessState.ExitCode()
	}()
}

func (work *checksums) endIfAllIsOver() {
	for _, file := range work.files {
		if file.result == "" {
			return
		}
	}
	if !work.ownRuns || work.ownEnded {
		work.end()
	}
}

func (work *checksums) end() {
	var failure *C.ps_error
	if !work.ending {
		check(C.ps_supervisor_shutdown(work.supervisor, 1000, &failure), failure) // one last event says that all is over
	}
	work.ending = true
}

func (work *checksums) report() int {
	for _, file := range work.files {
		fmt.Println(file.name, file.result)
		C.ps_child_free(file.child)
	}
	C.ps_supervisor_free(work.supervisor)
	if work.ownEnded {
		fmt.Println("own child: exit code", work.ownCode)
	}
	code, kept := 0, "never more than"
	if work.interrupted {
		fmt.Println("interrupted")
		code = 130
	}
	if work.most > atOnce {
		kept = "MORE THAN"
	}
	fmt.Printf("%d files, %s %d at once, %d children left\n", len(work.files), kept, atOnce, C.ps_live_count())
	return code
}

func main() {
	var failure *C.ps_error
	var fd C.int32_t
	names := os.Args[1:]
	work := &checksums{files: make([]file, len(names)), own: make(chan int)}
	check(C.ps_supervisor_new(&work.supervisor, &failure), failure)
	check(C.ps_supervisor_set_max_running(work.supervisor, atOnce, &failure), failure)
	check(C.ps_supervisor_fd(work.supervisor, &fd, &failure), failure)

	copied, err := syscall.Dup(int(fd))
	if err != nil {
		panic(err)
	}
	syscall.CloseOnExec(copied)
	if err := syscall.SetNonblock(copied, true); err != nil {
		panic(err)
	}
	watched := os.NewFile(uintptr(copied), "procsup")
	interrupt := make(chan os.Signal, 1)
	signal.Notify(interrupt, os.Interrupt)
	for number, name := range names {
		work.files[number].name = strings.TrimPrefix(name, "+")
		work.spawn(number, name[0] == '+')
	}

	over := make(chan struct{})
	told := ready(watched, over)
	for !work.done {
		select {
		case <-told:
			work.takeEvents()
			told <- struct{}{}
		case work.ownCode = <-work.own:
			work.ownEnded = true
			work.endIfAllIsOver()
		case <-interrupt:
			work.interrupted = true
			work.end()
		}
	}
	close(over)
	watched.Close() // before the supervisor is freed; it waits for who reads
	os.Exit(work.report())
}
