import { type LookupAddress, type LookupOptions, lookup } from 'node:dns'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { isPublicAddress, isPublicUrl } from './domain/address.ts'

/** Posts to addresses that others chose. */
export type Outbound = {
  /** Whether `post` would try the URL, as far as can be told now; a name that does not resolve yet is given the benefit. */
  allows(url: string): Promise<boolean>
  /** Rejects with ForbiddenAddress for an address inside our network; redirects are not followed. */
  post(
    url: string,
    options: { headers: Record<string, string | number>; body: string | Buffer; timeoutMs: number },
  ): Promise<{ status: number; retryAfter: string | undefined }>
}

export class ForbiddenAddress extends Error {
  constructor() {
    super('the address is not on the public internet')
    this.name = 'ForbiddenAddress'
  }
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void
type Lookup = (hostname: string, options: LookupOptions, callback: LookupCallback) => void

/** A resolver that knows public addresses only. The socket connects to what was checked: a name cannot change in between. */
const guarded =
  (resolve: Lookup): Lookup =>
  (hostname, options, callback) =>
    resolve(hostname, { ...options, all: true }, (error, answer) => {
      if (error) return callback(error, '')
      const addresses = answer as LookupAddress[]
      if (addresses.length === 0 || !addresses.every(({ address }) => isPublicAddress(address)))
        return callback(new ForbiddenAddress(), '')
      if (options.all) return callback(null, addresses)
      return callback(null, addresses[0]!.address, addresses[0]!.family)
    })

/** `allowPrivate` lets http and private addresses through: development only. */
export function createOutbound(options: { allowPrivate: boolean; lookup?: Lookup }): Outbound {
  const resolve = options.lookup ?? (lookup as unknown as Lookup)
  const guard = options.allowPrivate ? resolve : guarded(resolve)
  const mayTry = (url: string) => (options.allowPrivate ? URL.canParse(url) : isPublicUrl(url))
  return {
    allows: (url) =>
      new Promise((done) => {
        if (!mayTry(url)) return done(false)
        if (options.allowPrivate) return done(true)
        const host = new URL(url).hostname
        // An address that is written out has been judged above.
        if (isIP(host.replace(/^\[|\]$/g, ''))) return done(true)
        guard(host, { all: true }, (error) => done(!(error instanceof ForbiddenAddress)))
      }),
    post: (url, { headers, body, timeoutMs }) =>
      new Promise((done, fail) => {
        if (!mayTry(url)) return fail(new ForbiddenAddress())
        const request = url.startsWith('https:') ? requestHttps : requestHttp
        const sent = request(url, {
          method: 'POST',
          headers: { 'content-length': Buffer.byteLength(body), ...headers },
          lookup: guard as never,
          agent: false,
          signal: AbortSignal.timeout(timeoutMs),
        })
        sent.on('error', fail)
        sent.on('response', (response) => {
          done({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] })
          // The answer's body is of no interest, however long it is.
          response.destroy()
        })
        sent.end(body)
      }),
  }
}
