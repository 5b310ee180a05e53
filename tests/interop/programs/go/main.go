// A service that uses a registry by the Consul client of Go: registers with a TTL that it keeps up, watches and lists others.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/consul/api/watch"
)

type listed struct {
	ID       string            `json:"id"`
	Host     string            `json:"host"`
	Port     int               `json:"port"`
	Tags     []string          `json:"tags"`
	Metadata map[string]string `json:"metadata"`
	Status   string            `json:"status"`
}

// What the latest answer of each watch plan had, by service.
var watched = struct {
	sync.Mutex
	of map[string][]listed
}{of: map[string][]listed{}}

func main() {
	registry, name, service := os.Getenv("REGISTRY"), os.Getenv("NAME"), os.Getenv("SERVICE")
	ttl := os.Getenv("TTL")
	client, err := api.NewClient(&api.Config{Address: registry})
	check(err)
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	check(err)
	port := listener.Addr().(*net.TCPAddr).Port

	http.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })
	http.HandleFunc("/services", func(w http.ResponseWriter, _ *http.Request) {
		services, _, err := client.Catalog().Services(nil)
		answer(w, services, err)
	})
	http.HandleFunc("/listed", func(w http.ResponseWriter, r *http.Request) {
		entries, _, err := client.Health().Service(r.URL.Query().Get("service"), "", true, nil)
		answer(w, shown(entries), err)
	})
	http.HandleFunc("/watched", func(w http.ResponseWriter, r *http.Request) {
		watched.Lock()
		defer watched.Unlock()
		answer(w, watched.of[r.URL.Query().Get("service")], nil)
	})
	http.HandleFunc("/call", func(w http.ResponseWriter, r *http.Request) {
		text, err := call(client, r.URL.Query().Get("service"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, text)
	})
	go http.Serve(listener, nil)

	for _, each := range os.Args[1:] {
		check(follow(registry, each))
	}
	check(client.Agent().ServiceRegister(&api.AgentServiceRegistration{
		ID:      service + "-" + name,
		Name:    service,
		Tags:    []string{"go", "v=1"},
		Address: "127.0.0.1",
		Port:    port,
		Meta:    map[string]string{"by": "go", "name": name},
		Check:   &api.AgentServiceCheck{TTL: ttl},
	}))
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	every, err := time.ParseDuration(ttl)
	check(err)
	beats := time.NewTicker(every / 3)
	beat(client, service+"-"+name)
	fmt.Println("ready")
	for {
		select {
		case <-beats.C:
			beat(client, service+"-"+name)
		case <-stop:
			check(client.Agent().ServiceDeregister(service + "-" + name))
			return
		}
	}
}

func beat(client *api.Client, id string) {
	if err := client.Agent().UpdateTTL("service:"+id, "alive", api.HealthPassing); err != nil {
		fmt.Fprintln(os.Stderr, "beat:", err)
	}
}

// A watch plan, which asks again and again with the index that it has.
func follow(registry, service string) error {
	plan, err := watch.Parse(map[string]any{"type": "service", "service": service, "passingonly": true})
	if err != nil {
		return err
	}
	plan.Handler = func(_ uint64, raw any) {
		if entries, ok := raw.([]*api.ServiceEntry); ok {
			watched.Lock()
			watched.of[service] = shown(entries)
			watched.Unlock()
		}
	}
	go plan.Run(registry)
	return nil
}

func shown(entries []*api.ServiceEntry) []listed {
	all := []listed{}
	for _, each := range entries {
		s := each.Service
		all = append(all, listed{s.ID, s.Address, s.Port, s.Tags, s.Meta, each.Checks.AggregatedStatus()})
	}
	return all
}

func call(client *api.Client, service string) (string, error) {
	entries, _, err := client.Health().Service(service, "", true, nil)
	if err != nil || len(entries) == 0 {
		return "", fmt.Errorf("no instance of %s: %v", service, err)
	}
	at := net.JoinHostPort(entries[0].Service.Address, strconv.Itoa(entries[0].Service.Port))
	response, err := http.Get("http://" + at + "/hello")
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var text [200]byte
	n, _ := response.Body.Read(text[:])
	return string(text[:n]), nil
}

func answer(w http.ResponseWriter, value any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
