/**
 * Offers to go on in another protocol (RFC 9110 section 7.8). A server may ignore any of them and answer as if it had
 * not been made; Java's HTTP client offers h2c on each request.
 */
import { IncomingMessage } from 'node:http'

/** Whether a request offers WebSocket, alone or among others. */
export function offersWebSocket({ headers }: IncomingMessage): boolean {
  const offers = headers.upgrade?.toLowerCase().split(',') ?? []
  return offers.some((offer) => offer.trim() === 'websocket')
}

/**
 * The class of requests of a server that takes an offer only where `takes` says so. A server with a listener for
 * `upgrade` hands over the bare socket of every request that offers anything, before its body is read, if the property
 * `upgrade` says so once the head was parsed. Node 22.21 has the option `shouldUpgradeCallback` for this; 20.19 has
 * only that property, which `tests/integration/upgrades.test.ts` holds every release to.
 */
export function requestsThatTake(takes: (request: IncomingMessage) => boolean): typeof IncomingMessage {
  return class extends IncomingMessage {
    private offered: boolean | null = null

    get upgrade(): boolean {
      return this.offered === true && (this.method === 'CONNECT' || takes(this))
    }

    set upgrade(offered: boolean | null) {
      this.offered = offered
    }
  }
}
