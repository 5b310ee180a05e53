// A Rollcall client with nothing but the standard library: register, beat, look up, watch, leave.
//
// `go run rollcall.go http://127.0.0.1:7400 orders 8080 orders.json` registers this process as an instance of orders at port
// 8080, follows the service, and prints the list whenever it changes; SIGTERM leaves. Without a registry the
// list comes from memory, after a restart from the file.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

type Rollcall struct{ Registry, Service, Snapshot string }

type Instance struct {
	ID, Host, State string
	Port            int
}
type Answer struct {
	Unknown, Deregistered, Superseded, Instances []Instance
	Stale                                        bool
}

const empty = `W/"0000000000000000"`                // the sign of a list without instances
var client = http.Client{Timeout: 40 * time.Second} // longer than the registry waits

// call sends and reads JSON, and returns the sign of the answer: the one that was shown when nothing has changed.
func (r Rollcall) call(method, path, sign string, body any) (answer Answer, next string, err error) {
	sent, _ := json.Marshal(body)
	request, err := http.NewRequest(method, r.Registry+"/api/v1"+path, bytes.NewReader(sent))
	if err != nil {
		return
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "If-None-Match": {sign}}
	response, err := client.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	if response.StatusCode >= 400 {
		err = fmt.Errorf("%s %s: %s", method, path, response.Status)
	} else if response.StatusCode != http.StatusNotModified {
		err = json.NewDecoder(response.Body).Decode(&answer)
	}
	return answer, response.Header.Get("ETag"), err
}

// forever repeats a step; after an error it waits, and not all clients for the same time.
func forever(step func() (time.Duration, error)) {
	for {
		wait, err := step()
		if err != nil {
			fmt.Fprintln(os.Stderr, "rollcall:", err)
			wait = time.Second + rand.N(2*time.Second)
		}
		time.Sleep(wait)
	}
}

// Register makes an instance of this process and beats for it, until the function that it returns takes it out of the list.
func (r Rollcall) Register(host string, port int) (leave func()) {
	batch := map[string][]map[string]any{"instances": {{"service": r.Service, "id": fmt.Sprintf("%s:%d", host, port),
		"host": host, "port": port, "incarnation": time.Now().UnixMilli()}}} // above any process here before
	go forever(func() (time.Duration, error) {
		answer, _, err := r.call("POST", "/heartbeat", "", batch)
		if len(answer.Unknown) > 0 { // the first time, and after a registry lost its memory
			_, _, err = r.call("POST", "/register", "", batch)
		} else if len(answer.Deregistered)+len(answer.Superseded) > 0 {
			err = fmt.Errorf("this process was taken out of %s, or another one has its id", r.Service)
		}
		return 5 * time.Second, err
	})
	return func() { r.call("POST", "/deregister", "", batch) }
}

// Watch follows the service, and hands over each list, the file's at first: call those that are up, else those in doubt.
func (r Rollcall) Watch(changed func(source string, list map[string]Instance)) {
	list, sign := map[string]Instance{}, empty
	if saved, err := os.ReadFile(r.Snapshot); err == nil && json.Unmarshal(saved, &list) == nil {
		changed("snapshot", list)
	}
	forever(func() (wait time.Duration, err error) {
		view, next, err := r.call("GET", "/services/"+r.Service+"?wait=30s", sign, nil)
		if err != nil || next == sign {
			return 0, err
		}
		if sign = next; view.Stale { // the registry began with nothing: instances that are missing may live
			sign, wait = empty, time.Second
		} else {
			clear(list)
		}
		for _, each := range view.Instances {
			list[each.ID] = each
		}
		changed("registry", list)
		saved, _ := json.Marshal(list)
		os.WriteFile(r.Snapshot+".new", saved, 0o644)
		return wait, os.Rename(r.Snapshot+".new", r.Snapshot) // whole or not at all
	})
}

func main() {
	port, _ := strconv.Atoi(os.Args[3])
	rollcall := Rollcall{os.Args[1], os.Args[2], os.Args[4]}
	leave := rollcall.Register("127.0.0.1", port)
	go rollcall.Watch(func(source string, list map[string]Instance) { fmt.Println(source+":", list) })
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	leave()
}
