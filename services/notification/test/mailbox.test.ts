import { newId } from '@haat/kit/id'
import { UserPasswordResetRequested } from '@haat/proto/auth/v1/events'
import { MessageStatus } from '@haat/proto/notification/v1/notification'
import { expect, test } from 'vitest'
import { dev } from '../src/channels/dev.ts'
import { startHarness } from './harness.ts'

const h = await startHarness({ env: { MAILBOX_PORT: '0' }, overrides: { providers: { email: dev } } })
const base = `http://127.0.0.1:${h.mailboxPort}`

test('the development mailbox shows every message whole, links that set a password included', async () => {
  const user = h.user()
  const { eventId } = await h.happen(
    UserPasswordResetRequested,
    UserPasswordResetRequested.fromPartial({
      userId: user.id,
      email: user.email,
      name: '<script>alert(1)</script>',
      token: 'tok&en',
      expiresAt: new Date(Date.now() + 3600_000),
    }),
  )
  const response = await fetch(`${base}/mailbox.json?to=${encodeURIComponent(user.email.toUpperCase())}`)
  const { messages } = (await response.json()) as { messages: { id: string; links: string[]; text: string }[] }
  expect(messages).toMatchObject([{ templateKey: 'password_reset', status: 'sent', provider: 'dev', to: user.email }])
  expect(messages[0]?.links).toContain('https://shop.test/reset-password?token=tok%26en')
  expect(messages[0]?.text).toContain('https://shop.test/reset-password?token=tok%26en')
  expect(await h.list({ eventId })).toMatchObject([
    { status: MessageStatus.SENT, bodyText: expect.stringContaining('tok%26en') },
  ])

  const list = await (await fetch(`${base}/?to=${user.email}`)).text()
  expect(list).toContain(`/messages/${messages[0]?.id}`)
  const page = await (await fetch(`${base}/messages/${messages[0]?.id}`)).text()
  const body = await fetch(`${base}/messages/${messages[0]?.id}/body`)
  expect(body.headers.get('content-security-policy')).toContain("default-src 'none'")
  for (const html of [list, page, await body.text()]) expect(html).not.toContain('<script>')
})

test('what is not there is not found, and other filters work', async () => {
  expect((await fetch(`${base}/messages/${newId()}`)).status).toBe(404)
  expect((await fetch(`${base}/anything`)).status).toBe(404)
  const none = await fetch(`${base}/mailbox.json?template=order_paid&channel=sms`)
  expect(await none.json()).toEqual({ messages: [] })
})
