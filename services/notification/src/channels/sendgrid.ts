import { callProvider } from './http-provider.ts'
import { mailHeaders, messageIdOf, parseFrom } from './mail-headers.ts'
import type { Provider } from './provider.ts'

/** E-mail by SendGrid's HTTP API. */
export function sendgrid(options: { key: string; url: string; from: string }): Provider {
  const { name, email } = parseFrom(options.from)
  return {
    name: 'sendgrid',
    async send(message) {
      const { headers } = await callProvider('sendgrid', new URL('/v3/mail/send', options.url).href, {
        headers: { authorization: `Bearer ${options.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          personalizations: [{ to: [{ email: message.to }] }],
          from: { email, ...(name && { name }) },
          subject: message.subject,
          content: [
            { type: 'text/plain', value: message.text },
            { type: 'text/html', value: message.html },
          ],
          headers: { ...mailHeaders(message), 'Message-ID': messageIdOf(message, options.from) },
          // Links carry tokens: they go out as they are, and nobody counts who opens them.
          tracking_settings: { click_tracking: { enable: false }, open_tracking: { enable: false } },
        }),
      })
      return { providerId: headers.get('x-message-id') ?? '' }
    },
  }
}
