import java.net.URI;
import java.net.http.*;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.*;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A Rollcall client with nothing but the JDK (17): register, beat, look up, watch, leave.
 *
 * <p>{@code java Rollcall.java http://127.0.0.1:7400 orders 8080 orders.json} registers this process as an instance of orders
 * at port 8080, follows the service, and prints which instances can be called whenever that changes; SIGTERM leaves. Without a
 * registry the list comes from memory, after a restart from the file. A JSON library takes the place of the two patterns.
 */
public final class Rollcall {
  record Instance(String id, String host, int port, String state) {}
  /** All in a view that is not plain; without it, the other pattern finds the instances. */
  private static final Pattern METADATA = Pattern.compile("\"metadata\":\\{(\"([^\"\\\\]|\\\\.)*+\"[:,]?)*+}");
  private static final Pattern INSTANCE =
      Pattern.compile("\"id\":\"([^\"]+)\",\"host\":\"([^\"]+)\",\"port\":(\\d+)[^{}]*?\"state\":\"(\\w+)\"");
  private static final String EMPTY = "W/\"0000000000000000\""; // the sign of a list without instances

  private final HttpClient http = HttpClient.newHttpClient();
  private final String api, service;
  private final Path snapshot;
  private volatile Map<String, Instance> instances = Map.of(); // replaced, never changed
  private String sign = EMPTY;

  Rollcall(String registry, String service, Path snapshot) {
    this.api = registry + "/api/v1";
    this.service = service;
    this.snapshot = snapshot;
  }

  private HttpResponse<String> send(HttpRequest.Builder request) {
    var response = http.sendAsync(request.timeout(Duration.ofSeconds(40)).build(), BodyHandlers.ofString()).join();
    if (response.statusCode() >= 400) throw new IllegalStateException(response.body());
    return response;
  }

  private String post(String operation, String instance) {
    var batch = BodyPublishers.ofString("{\"instances\":[{%s}]}".formatted(instance));
    var request = HttpRequest.newBuilder(URI.create(api + operation)).header("Content-Type", "application/json");
    return send(request.POST(batch)).body();
  }

  /** Registers this process and beats for it; what is returned takes it out of the list. */
  Runnable register(String host, int port) {
    var incarnation = System.currentTimeMillis(); // higher than that of any process here before
    var own = "\"service\":\"%s\",\"id\":\"%s:%d\",\"incarnation\":%d".formatted(service, host, port, incarnation);
    forever(() -> {
      var answer = post("/heartbeat", own);
      if (answer.contains("\"unknown\":[{")) // the first time, and after a registry lost its memory
        post("/register", "%s,\"host\":\"%s\",\"port\":%d".formatted(own, host, port));
      else if (answer.contains("\"deregistered\":[{") || answer.contains("\"superseded\":[{"))
        throw new IllegalStateException("taken out, or another process has the id: " + answer);
      return 5_000;
    });
    return () -> post("/deregister", own);
  }

  /** Follows the service, and tells of every list: that of the file first. */
  void watch(Consumer<String> changed) throws Exception {
    if (Files.exists(snapshot)) instances = parse(Files.readString(snapshot));
    changed.accept("snapshot");
    forever(() -> {
      var request = HttpRequest.newBuilder(URI.create("%s/services/%s?wait=30s".formatted(api, service)));
      var answer = send(request.header("If-None-Match", sign));
      if (answer.statusCode() == 304) return 0;
      var view = METADATA.matcher(answer.body()).replaceAll("");
      var stale = view.contains("\"stale\":true"); // it began with nothing: instances that are missing may live
      var list = new TreeMap<>(stale ? instances : Map.of());
      list.putAll(parse(view));
      instances = list;
      sign = stale ? EMPTY : answer.headers().firstValue("ETag").orElse(EMPTY);
      changed.accept("registry");
      if (!stale) Files.move(Files.writeString(Path.of(snapshot + ".new"), view), snapshot, StandardCopyOption.ATOMIC_MOVE);
      return stale ? 1_000 : 0;
    });
  }

  private static Map<String, Instance> parse(String plain) {
    return INSTANCE.matcher(plain).results()
        .map(it -> new Instance(it.group(1), it.group(2), Integer.parseInt(it.group(3)), it.group(4)))
        .collect(Collectors.toMap(Instance::id, it -> it));
  }

  /** Those that can be called: all that are up, else those in doubt. From memory, never from the network. */
  List<Instance> candidates() {
    var states = instances.values().stream().collect(Collectors.groupingBy(Instance::state));
    return states.getOrDefault("up", states.getOrDefault("suspect", List.of()));
  }

  /** Repeats a step, which says after how many ms; after an error it waits, and not all clients for the same time. */
  private static void forever(Callable<Integer> step) {
    new Thread(() -> {
      for (int pause = 0; ; ) {
        try {
          Thread.sleep(pause);
          pause = step.call();
        } catch (Exception error) {
          System.err.println("rollcall: " + error);
          pause = ThreadLocalRandom.current().nextInt(500, 2_500);
        }
      }
    }).start();
  }

  public static void main(String[] args) throws Exception {
    var rollcall = new Rollcall(args[0], args[1], Path.of(args[3]));
    rollcall.watch(source -> System.out.println(source + ": " + rollcall.candidates()));
    Runtime.getRuntime().addShutdownHook(new Thread(rollcall.register("127.0.0.1", Integer.parseInt(args[2]))));
  }
}
