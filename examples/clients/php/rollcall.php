<?php
/**
 * A Rollcall client with nothing but PHP 8: register, beat, look up, watch, leave.
 *
 *     php rollcall.php http://127.0.0.1:7400 orders 8080 orders.json
 *
 * registers this process as an instance of `orders` at port 8080, follows the service, and prints which instances can be
 * called whenever that changes; SIGTERM leaves. One loop does both: a lookup waits no longer than until the next beat. Without
 * a registry the list comes from memory, and from the file, which requests of PHP-FPM read with `Rollcall::saved()`.
 */
declare(strict_types=1);

final class Rollcall
{
    private const EMPTY = 'W/"0000000000000000"'; // the sign of a list without instances
    private array $instances; // by id
    private string $sign = self::EMPTY;
    private float $beatAt = 0;
    public bool $running = true;
    private array $own;

    public function __construct(
        private readonly string $registry,
        private readonly string $service,
        private readonly string $snapshot,
        private readonly string $host,
        private readonly int $port,
    ) {
        $incarnation = (int) (microtime(true) * 1000); // higher than that of any process here before
        $this->own = ['service' => $service, 'id' => "$host:$port", 'incarnation' => $incarnation];
        $this->instances = self::saved($snapshot);
    }

    /** What was known last, for processes that are too short to follow. */
    public static function saved(string $snapshot): array
    {
        return is_file($snapshot) ? json_decode(file_get_contents($snapshot), true, flags: JSON_THROW_ON_ERROR) : [];
    }

    /** Those that can be called: all that are up, else those in doubt. */
    public static function candidates(array $instances): array
    {
        $in = fn (string $state) => array_filter($instances, fn (array $each) => $each['state'] === $state);
        return $in('up') ?: $in('suspect');
    }

    /** Beats and follows while `running`, then leaves. `$changed` gets every list, and where it comes from. */
    public function run(callable $changed): void
    {
        $changed('snapshot', $this->instances);
        while ($this->running) {
            try {
                microtime(true) < $this->beatAt || $this->beat();
                $this->poll($changed);
            } catch (RuntimeException | JsonException $error) {
                fwrite(STDERR, "rollcall: {$error->getMessage()}\n");
                usleep(random_int(500_000, 2_500_000)); // not all clients at the same time
            }
        }
        $this->call('POST', '/deregister', ['instances' => [$this->own]]);
    }

    private function beat(): void
    {
        $answer = $this->call('POST', '/heartbeat', ['instances' => [$this->own]]);
        if ($answer['deregistered'] || $answer['superseded']) {
            throw new RuntimeException("{$this->own['id']} was taken out, or another process has it");
        }
        if ($answer['unknown']) { // the first time, and after a registry lost its memory
            $this->call('POST', '/register', ['instances' => [$this->own + ['host' => $this->host, 'port' => $this->port]]]);
        }
        $this->beatAt = microtime(true) + 5;
    }

    private function poll(callable $changed): void
    {
        $wait = max(1, (int) ceil($this->beatAt - microtime(true)));
        $view = $this->call('GET', "/services/{$this->service}?wait={$wait}s", null, $this->sign, $wait + 5);
        if ($view === null) {
            return; // nothing has changed
        }
        $listed = array_column($view['instances'], null, 'id');
        // A registry that began with nothing does not know yet which instances live: what is missing may.
        $this->instances = $view['stale'] ? $listed + $this->instances : $listed;
        $this->sign = $view['stale'] ? self::EMPTY : "W/\"{$view['sign']}\"";
        file_put_contents("{$this->snapshot}.new", json_encode($this->instances, JSON_THROW_ON_ERROR));
        rename("{$this->snapshot}.new", $this->snapshot); // whole or not at all
        $changed('registry', $this->instances);
        sleep($view['stale'] ? 1 : 0);
    }

    /** JSON in, JSON out; null for "not modified". */
    private function call(string $method, string $path, ?array $body, string $sign = '', int $seconds = 5): ?array
    {
        $context = stream_context_create(['http' => [
            'method' => $method,
            'header' => ['Content-Type: application/json', "If-None-Match: $sign"],
            'content' => $body === null ? '' : json_encode($body, JSON_THROW_ON_ERROR),
            'timeout' => $seconds,
            'ignore_errors' => true,
        ]]);
        $text = @file_get_contents("{$this->registry}/api/v1$path", false, $context);
        $status = (int) substr($http_response_header[0] ?? '', 9, 3);
        if ($text === false || $status < 200 || $status >= 400) {
            throw new RuntimeException("$method $path: " . ($text ?: 'no answer'));
        }
        return $status === 304 ? null : json_decode($text, true, flags: JSON_THROW_ON_ERROR);
    }
}

if (realpath($argv[0] ?? '') !== __FILE__) return; // included by another file
[, $registry, $service, $port, $snapshot] = $argv;
$rollcall = new Rollcall($registry, $service, $snapshot, '127.0.0.1', (int) $port);
pcntl_async_signals(true);
pcntl_signal(SIGTERM, fn () => $rollcall->running = false);
$rollcall->run(function (string $source, array $instances) {
    echo "$source: ", implode(' ', array_column(Rollcall::candidates($instances), 'id')), "\n";
});
