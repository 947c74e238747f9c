import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPublicAddress, isPublicUrl } from './address.ts'
import { nextAttempt } from './backoff.ts'
import { NO_WISHES, wants } from './preferences.ts'
import { createSecrets, webhookSignature } from './secrets.ts'

describe('nextAttempt', () => {
  const now = new Date('2026-01-01T00:00:00Z')
  const seconds = (attempts: number, retryAfter = 0, random = 0.5) =>
    (nextAttempt(now, attempts, [10, 60], retryAfter, () => random)?.getTime() ?? Number.NaN) / 1000 -
    now.getTime() / 1000

  it('follows the schedule, gives way to what was asked for, and ends', () => {
    expect([seconds(1), seconds(2), seconds(3)]).toEqual([10, 60, Number.NaN])
    expect(seconds(1, 300)).toBe(300)
    expect(seconds(1, 10 ** 9)).toBe(86_400)
    expect([seconds(1, 0, 0), seconds(1, 0, 1)]).toEqual([8, 12])
  })
})

describe('wants', () => {
  it('account mail always, marketing when asked for, text messages when asked for, the rest unless declined', () => {
    const said = (topic: 'orders' | 'account', enabled: boolean) => ({
      marketingOptIn: false,
      explicit: new Map([[`${topic}:email` as const, enabled]]),
    })
    expect(wants(said('account', false), 'account', 'email')).toBe(true)
    expect(wants(said('orders', false), 'orders', 'email')).toBe(false)
    expect(wants(NO_WISHES, 'orders', 'email')).toBe(true)
    expect(wants(NO_WISHES, 'orders', 'sms')).toBe(false)
    expect(wants(NO_WISHES, 'marketing', 'email')).toBe(false)
    expect(wants({ ...NO_WISHES, marketingOptIn: true }, 'marketing', 'email')).toBe(true)
    expect(wants({ ...NO_WISHES, marketingOptIn: true }, 'marketing', 'sms')).toBe(false)
  })
})

describe('secrets', () => {
  const [old, current] = ['an-old-secret-of-thirty-two-characters', 'a-new-secret-of-thirty-two-characters']
  const before = createSecrets([old])
  const after = createSecrets([current, old])
  const foreign = createSecrets(['another-secret-of-thirty-two-characters'])

  it('what was signed or sealed before a change of secrets still holds, and nothing else does', () => {
    const token = before.sign('user:orders:email')
    expect(after.verify(token)).toBe('user:orders:email')
    expect(foreign.verify(token)).toBeUndefined()
    const sealed = before.seal('whsec', 'id-1')
    expect(after.open(sealed, 'id-1')).toBe('whsec')
    expect(() => after.open(sealed, 'id-2')).toThrow()
    expect(() => foreign.open(sealed, 'id-1')).toThrow()
    expect(after.seal('whsec', 'id-1')).not.toBe(after.seal('whsec', 'id-1'))
  })

  it('no other text is a token', () => {
    fc.assert(
      fc.property(fc.string(), (token) => {
        expect(after.verify(token)).toBeUndefined()
      }),
    )
    const token = after.sign('a')
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === 'A' ? 'B' : 'A'
      const changed = token.slice(0, i) + other + token.slice(i + 1)
      // The last character of base64url may hold bits that mean nothing.
      if (i !== token.length - 1 && i !== token.indexOf('.') - 1) expect(after.verify(changed)).toBeUndefined()
    }
  })

  it('a webhook signature covers the time and the body', () => {
    const at = new Date(1_700_000_000_000)
    expect(webhookSignature('s', 'b', at)).toMatch(/^t=1700000000,v1=[0-9a-f]{64}$/)
    expect(webhookSignature('s', 'b', at)).not.toBe(webhookSignature('s', 'c', at))
  })
})

describe('addresses', () => {
  it('knows the public internet', () => {
    for (const ip of ['8.8.8.8', '93.184.216.34', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'])
      expect([ip, isPublicAddress(ip)]).toEqual([ip, true])
  })

  it('and what is not part of it', () => {
    const inside = [
      ...['0.0.0.0', '10.0.0.1', '100.64.0.1', '127.0.0.1', '169.254.169.254', '172.16.0.1', '172.31.255.255'],
      ...['192.168.1.1', '192.0.2.1', '198.18.0.1', '203.0.113.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
      ...[
        '::',
        '::1',
        '::ffff:8.8.8.8',
        '::ffff:10.0.0.1',
        '64:ff9b::a00:1',
        'fc00::1',
        'fd12::1',
        'fe80::1',
        'ff02::1',
      ],
      ...['2001:db8::1', '2002:a00:1::', '2001::1', '3fff::1', 'not an address', ''],
    ]
    for (const ip of inside) expect([ip, isPublicAddress(ip)]).toEqual([ip, false])
  })

  it('takes https URLs with a public host only', () => {
    expect(isPublicUrl('https://hooks.example.com:8443/a?b')).toBe(true)
    for (const url of [
      'http://example.com',
      'https://a',
      'https://a.internal',
      'https://10.1',
      'ftp://a.b',
      'https://a.LOCAL.',
    ])
      expect([url, isPublicUrl(url)]).toEqual([url, false])
  })
})
