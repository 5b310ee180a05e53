package rollcall.interop;

import java.util.List;
import java.util.Map;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.cloud.client.loadbalancer.LoadBalanced;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

/** An application that registers, lists others and calls them by name, with nothing but Spring's own interfaces. */
@SpringBootApplication
@RestController
public class Application {

    private final DiscoveryClient discovery;
    private final RestClient.Builder calls;

    @Value("${interop.name}")
    private String name;

    Application(DiscoveryClient discovery, @LoadBalanced RestClient.Builder calls) {
        this.discovery = discovery;
        this.calls = calls;
    }

    public static void main(String[] args) {
        SpringApplication.run(Application.class, args);
    }

    @GetMapping("/hello")
    String hello() {
        return name;
    }

    @GetMapping("/services")
    List<String> services() {
        return discovery.getServices();
    }

    /** What Spring's discovery client lists of a service. */
    @GetMapping("/listed")
    List<Map<String, Object>> listed(@RequestParam("service") String service) {
        return discovery.getInstances(service).stream()
            .map(each -> Map.<String, Object>of(
                "host", each.getHost(),
                "port", each.getPort(),
                "secure", each.isSecure(),
                "metadata", each.getMetadata()))
            .toList();
    }

    /** Calls a service by its name, through Spring's load balancer: the name of the instance that answered. */
    @GetMapping("/call")
    String call(@RequestParam("service") String service) {
        return calls.build().get().uri("http://" + service + "/hello").retrieve().body(String.class);
    }

    @Configuration
    static class Calls {
        // No default candidate: the client of Eureka would take it for its own requests to the registry.
        @Bean(defaultCandidate = false)
        @LoadBalanced
        RestClient.Builder calls() {
            return RestClient.builder();
        }
    }
}
