import { isIP } from 'node:net'
import type { Context } from 'hono'
import type { HttpEnv } from './context.ts'

/** The client's address: the socket's peer, or with `trustedHops` proxies before us what the outermost of them saw. */
export const clientAddress = (c: Context<HttpEnv>, trustedHops: number): string =>
  addressOf(c.env?.incoming?.socket?.remoteAddress, c.req.header('x-forwarded-for'), trustedHops)

/** The same from what a request carries. */
export function addressOf(peer: string | undefined, forwardedFor: string | undefined, trustedHops: number): string {
  let address = peer ?? 'unknown'
  if (trustedHops > 0) {
    const seen = (forwardedFor ?? '').split(',')
    const claimed = seen.at(-Math.min(trustedHops, seen.length))!.trim()
    if (isIP(claimed)) address = claimed
  }
  return address
}

/** The address of whoever asks, for auth and fraud checks; personal data, so never into a log. */
export const clientIp = (c: Context<HttpEnv>): string => c.get('parts').address

/**
 * Whom a limit counts as one: an IPv6 address by its /64, which one household or host owns (`2001:db8:1:2::/64`); IPv4,
 * also when mapped into IPv6, as it is.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const plain = address.split('%', 1)[0]!.toLowerCase()
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)
  if (mapped) return mapped[1]!
  const [head = '', tail] = plain.split('::')
  const left = head ? head.split(':') : []
  const right = tail ? tail.split(':') : []
  const groups =
    tail === undefined
      ? left
      : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right]
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}
