// A Java program with the JDK's own HTTP client and its defaults: it prefers HTTP/2, so it offers h2c on each request.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

public class JavaClient {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static String base;

    public static void main(String[] args) throws Exception {
        base = args[0];
        get("/livez");
        get("/readyz");
        get("/metrics");
        post("/api/v1/register", "{\"instances\":[" + instance("java-1") + "]}");
        get("/api/v1/services/from-java");
        post("/api/v1/register", "{\"instances\":[" + many() + "]}");
        get("/api/v1/services/from-java");
        post("/api/v1/deregister", "{\"instances\":[" + instance("java-1") + "," + many() + "]}");
        get("/api/v1/services/from-java");
    }

    private static String instance(String id) {
        return "{\"service\":\"from-java\",\"id\":\"" + id
            + "\",\"host\":\"10.9.8.7\",\"port\":8080,\"liveness\":\"static\"}";
    }

    /** A body of many packets. */
    private static String many() {
        StringBuilder items = new StringBuilder(instance("java-0"));
        for (int n = 2; n < 3000; n++) items.append(',').append(instance("java-" + n));
        return items.toString();
    }

    private static void get(String path) throws Exception {
        say("GET", path, HttpRequest.newBuilder(URI.create(base + path)).build());
    }

    private static void post(String path, String body) throws Exception {
        say("POST", path, HttpRequest.newBuilder(URI.create(base + path))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body))
            .build());
    }

    /** One line per request: method, path, status, version, and how many instances are listed in the answer. */
    private static void say(String method, String path, HttpRequest request) throws Exception {
        var response = CLIENT.send(request, BodyHandlers.ofString());
        int instances = response.body().split("\"stateAgeMs\":", -1).length - 1;
        System.out.println(method + " " + path + " " + response.statusCode() + " " + response.version() + " " + instances);
    }
}
