import { createECDH, randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { afterAll, beforeEach, expect, test } from 'vitest'
import webpush from 'web-push'
import { mailgun } from '../src/channels/mailgun.ts'
import { type Outgoing, type Provider, ProviderError } from '../src/channels/provider.ts'
import { selectProviders } from '../src/channels/select.ts'
import { sendgrid } from '../src/channels/sendgrid.ts'
import { smtp } from '../src/channels/smtp.ts'
import { twilio } from '../src/channels/twilio.ts'
import { webPush } from '../src/channels/web-push.ts'
import { loadConfig } from '../src/config.ts'
import { createOutbound } from '../src/outbound.ts'
import { SECRET } from './harness.ts'
import { startHttpServer } from './http-server.ts'

const FROM = 'Haat <no-reply@haat.test>'
const api = await startHttpServer()
beforeEach(() => {
  api.received.length = 0
})
const mail: Outgoing = {
  id: '0195b3a0-0000-7000-8000-000000000009',
  to: 'ayesha@mail.test',
  subject: 'ধন্যবাদ: order 7',
  html: '<p>Paid — ৳৫০</p>',
  text: 'Paid — ৳৫০',
  link: '',
  unsubscribe: { url: 'https://shop.test/unsubscribe?token=t', postUrl: 'https://api.test/stop?token=t' },
  ttlSeconds: 3600,
}
const refusal = async (provider: Provider, message = mail) => {
  const error = await provider.send(message).catch((e) => e)
  expect(error).toBeInstanceOf(ProviderError)
  expect(error.message).not.toContain('ayesha')
  return error as ProviderError
}

const inbox: { from: string; to: string[]; text: string }[] = []
const rejected = new Map<string, number>()
const mailServer = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onRcptTo({ address }, _session, callback) {
    const code = rejected.get(address)
    callback(code ? Object.assign(new Error(`no ${address} here`), { responseCode: code }) : null)
  },
  onData(stream, session, callback) {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const { mailFrom, rcptTo } = session.envelope
      inbox.push({
        from: mailFrom ? mailFrom.address : '',
        to: rcptTo.map((r) => r.address),
        text: Buffer.concat(chunks).toString(),
      })
      callback()
    })
  },
})
await new Promise<void>((resolve) => mailServer.listen(0, '127.0.0.1', resolve))
const smtpUrl = `smtp://127.0.0.1:${(mailServer.server.address() as AddressInfo).port}`
const mailer = smtp({ url: smtpUrl, from: FROM })
afterAll(async () => {
  await mailer.close?.()
  await new Promise<void>((resolve) => mailServer.close(() => resolve()))
})

test('SMTP carries both parts, one Message-ID for every attempt, and how to stop', async () => {
  const first = await mailer.send(mail)
  const second = await mailer.send(mail)
  expect(first).toEqual({ providerId: `<${mail.id}@haat.test>` })
  expect(second).toEqual(first)
  expect(inbox[0]).toMatchObject({ from: 'no-reply@haat.test', to: [mail.to] })
  const { text } = inbox[0]!
  expect(text).toContain(`Message-ID: <${mail.id}@haat.test>`)
  expect(text).toContain('List-Unsubscribe: <https://api.test/stop?token=t>')
  expect(text).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click')
  expect(text).toContain('Auto-Submitted: auto-generated')
  expect(text).toContain('Content-Type: text/plain')
  expect(text).toContain('Content-Type: text/html')
})

test('SMTP tells a refused address from a server that is busy, closed or away', async () => {
  rejected.set('gone@mail.test', 550).set('busy@mail.test', 451)
  expect(await refusal(mailer, { ...mail, to: 'gone@mail.test' })).toMatchObject({
    permanent: true,
    message: 'smtp 550 EENVELOPE',
  })
  expect(await refusal(mailer, { ...mail, to: 'busy@mail.test' })).toMatchObject({ permanent: false })
  const nobody = smtp({ url: 'smtp://127.0.0.1:1', from: FROM })
  expect(await refusal(nobody)).toMatchObject({ permanent: false })
  nobody.close?.()
})

test('no value can add a header or a recipient to a mail', async () => {
  const before = inbox.length
  await mailer.send({ ...mail, subject: 'Hi\r\nBcc: thief@mail.test', to: mail.to })
  await mailer.send({ ...mail, to: 'a@mail.test, thief@mail.test' }).catch(() => undefined)
  for (const { to, text } of inbox.slice(before)) {
    expect(to).not.toContain('thief@mail.test')
    expect(text).not.toMatch(/^bcc:/im)
  }
})

test('SendGrid gets the mail as its API wants it, and its id is kept', async () => {
  const provider = sendgrid({ key: 'sg-key', url: api.url, from: FROM })
  api.answer({ status: 202, headers: { 'x-message-id': 'sg-1' } })
  expect(await provider.send(mail)).toEqual({ providerId: 'sg-1' })
  const [request] = api.received
  expect(request).toMatchObject({ path: '/v3/mail/send', headers: { authorization: 'Bearer sg-key' } })
  expect(JSON.parse(request!.body.toString())).toMatchObject({
    personalizations: [{ to: [{ email: mail.to }] }],
    from: { email: 'no-reply@haat.test', name: 'Haat' },
    subject: mail.subject,
    content: [
      { type: 'text/plain', value: mail.text },
      { type: 'text/html', value: mail.html },
    ],
  })
})

test('Mailgun gets the mail as its API wants it, and its id is kept', async () => {
  const provider = mailgun({ key: 'mg-key', domain: 'mg.haat.test', url: api.url, from: FROM })
  api.answer({ status: 200, body: '{"id":"<mg-1@haat>","message":"Queued"}' })
  expect(await provider.send(mail)).toEqual({ providerId: '<mg-1@haat>' })
  const [request] = api.received
  expect(request?.path).toBe('/v3/mg.haat.test/messages')
  expect(request?.headers.authorization).toBe(`Basic ${Buffer.from('api:mg-key').toString('base64')}`)
  const body = request!.body.toString()
  for (const part of ['name="to"', mail.to, mail.subject, mail.html, 'h:List-Unsubscribe']) expect(body).toContain(part)
})

test('Twilio gets the text as its API wants it, and its id is kept', async () => {
  const provider = twilio({ key: 'AC1:token', url: api.url, from: '+15005550006' })
  api.answer({ status: 201, body: '{"sid":"SM1"}' })
  expect(await provider.send({ ...mail, to: '+8801712345678' })).toEqual({ providerId: 'SM1' })
  const [request] = api.received
  expect(request?.path).toBe('/2010-04-01/Accounts/AC1/Messages.json')
  expect(Object.fromEntries(new URLSearchParams(request!.body.toString()))).toEqual({
    To: '+8801712345678',
    From: '+15005550006',
    Body: mail.text,
  })
  api.answer({ status: 400, body: '{"code":21211,"message":"not a number: ayesha"}' })
  expect(await refusal(provider)).toMatchObject({ permanent: true, message: 'twilio 400 21211' })
})

test('an answer tells what may go better later: limits, trouble and our own credentials do, bad requests do not', async () => {
  const provider = sendgrid({ key: 'k', url: api.url, from: FROM })
  const cases: [number, boolean][] = [
    [400, true],
    [413, true],
    [401, false],
    [429, false],
    [500, false],
    [503, false],
  ]
  for (const [status, permanent] of cases) {
    api.answer({ status, headers: { 'retry-after': '120' }, body: '{"errors":["ayesha@mail.test"]}' })
    expect(await refusal(provider)).toMatchObject({ permanent, retryAfterSeconds: 120, message: `sendgrid ${status}` })
  }
  api.answer({ status: 302, headers: { location: 'http://127.0.0.1:1/' } })
  expect(await refusal(provider)).toMatchObject({ permanent: false })
  expect(await refusal(sendgrid({ key: 'k', url: 'http://127.0.0.1:1', from: FROM }))).toMatchObject({
    permanent: false,
    message: 'sendgrid unreachable',
  })
})

const vapid = webpush.generateVAPIDKeys()
const browser = createECDH('prime256v1')
browser.generateKeys()
const keys = { p256dh: browser.getPublicKey('base64url'), auth: randomBytes(16).toString('base64url') }

test('a push message is encrypted for its browser, and a subscription that ended is told apart', async () => {
  const outbound = createOutbound({ allowPrivate: true })
  const provider = webPush({ ...vapid, subject: 'mailto:a@haat.test', outbound })
  const push = { ...mail, to: `${api.url}/push/1`, keys, link: 'https://shop.test/orders/7' }
  api.answer({ status: 201 })
  await provider.send(push)
  const [request] = api.received
  expect(request).toMatchObject({ path: '/push/1', headers: { 'content-encoding': 'aes128gcm', ttl: '3600' } })
  expect(request?.headers.authorization).toContain(`k=${vapid.publicKey}`)
  expect(request?.body.includes('order 7')).toBe(false)
  api.answer({ status: 410 }, { status: 429, headers: { 'retry-after': '60' } })
  expect(await refusal(provider, push)).toMatchObject({ permanent: true, gone: true })
  expect(await refusal(provider, push)).toMatchObject({ permanent: false, retryAfterSeconds: 60 })
  expect(await refusal(provider, { ...push, keys: { p256dh: 'x', auth: 'y' } })).toMatchObject({ permanent: true })
})

test('a push endpoint inside our network is not called', async () => {
  const outbound = createOutbound({ allowPrivate: false })
  const provider = webPush({ ...vapid, subject: 'mailto:a@haat.test', outbound })
  for (const to of [`${api.url}/push`, 'https://127.0.0.1/push', 'https://localhost/push'])
    expect(await refusal(provider, { ...mail, to, keys })).toMatchObject({ permanent: true })
  expect(api.received).toHaveLength(0)
})

test('the configuration decides who sends, and e-mail that goes nowhere has to be asked for', () => {
  const outbound = createOutbound({ allowPrivate: false })
  const select = (env: Record<string, string>) =>
    selectProviders(
      loadConfig({
        POSTGRES_URL: 'postgres://x',
        RABBITMQ_URL: 'amqp://x',
        EVENT_SECRET: 'x'.repeat(32),
        NOTIFICATION_SECRET: SECRET,
        ...env,
      }),
      outbound,
    )
  const names = (env: Record<string, string>) => {
    const providers = select(env)
    for (const provider of Object.values(providers)) void provider.close?.()
    return Object.fromEntries(Object.entries(providers).map(([channel, provider]) => [channel, provider.name]))
  }
  expect(() => select({})).toThrow('no way to send e-mail')
  expect(() => select({ EMAIL_PROVIDER: 'sendgrid', SMTP_URL: smtpUrl })).toThrow('no way to send e-mail')
  expect(names({ SMTP_URL: smtpUrl })).toEqual({ email: 'smtp' })
  expect(names({ MAILGUN_KEY: 'k', MAILGUN_DOMAIN: 'd' })).toEqual({ email: 'mailgun' })
  expect(names({ MAILBOX_PORT: '0' })).toEqual({ email: 'dev', sms: 'dev' })
  expect(
    names({
      SMTP_URL: smtpUrl,
      SENDGRID_KEY: 'k',
      EMAIL_PROVIDER: 'sendgrid',
      SMS_PROVIDER_KEY: 'AC:t',
      SMS_FROM: '+1',
      VAPID_PUBLIC_KEY: vapid.publicKey,
      VAPID_PRIVATE_KEY: vapid.privateKey,
    }),
  ).toEqual({ email: 'sendgrid', sms: 'twilio', push: 'web_push' })
  expect(() =>
    loadConfig({ POSTGRES_URL: 'x', RABBITMQ_URL: 'x', EVENT_SECRET: 'x'.repeat(32), NOTIFICATION_SECRET: 'short' }),
  ).toThrow('32')
})
