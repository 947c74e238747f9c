import { isIPv4, isIPv6 } from 'node:net'

/**
 * The network an address is counted by: an IPv4 address itself, the /64 of an IPv6 address (one household has all of it).
 * Undefined when the text is no address.
 */
export function networkOf(address: string): string | undefined {
  const text = address.trim()
  if (isIPv4(text)) return text
  if (!isIPv6(text)) return undefined
  const bare = text.split('%')[0]!
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)
  if (mapped) return mapped[1]!
  // The URL parser knows every way to write one.
  const canonical = new URL(`http://[${bare}]/`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  const groups = tail === undefined ? left : [...left, ...zeros, ...right]
  return `${groups.slice(0, 4).join(':')}::/64`
}
