import { createTransport, type NodemailerError } from 'nodemailer'
import { mailHeaders, messageIdOf } from './mail-headers.ts'
import { type Provider, ProviderError, SEND_TIMEOUT_MS } from './provider.ts'

/** E-mail by SMTP. The pool does not send again by itself: a mail may have been taken before its connection broke. */
export function smtp(options: { url: string; from: string }): Provider {
  const transport = createTransport({
    url: options.url,
    pool: true,
    maxConnections: 5,
    maxRequeues: 0,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 15_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  // A pooled connection that breaks between mails is replaced; the next mail tells when that fails.
  transport.on('error', () => undefined)
  return {
    name: 'smtp',
    async send(message) {
      try {
        const info = await transport.sendMail({
          from: options.from,
          to: { name: '', address: message.to },
          subject: message.subject,
          html: message.html,
          text: message.text,
          messageId: messageIdOf(message, options.from),
          headers: mailHeaders(message),
          signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
        })
        return { providerId: info.messageId }
      } catch (cause) {
        const { code = 'failed', responseCode } = cause as NodemailerError & { responseCode?: number }
        const isRefused =
          ['EENVELOPE', 'EMESSAGE'].includes(code) && (responseCode === undefined || responseCode >= 500)
        throw new ProviderError(['smtp', responseCode, code].filter(Boolean).join(' '), { permanent: isRefused, cause })
      }
    },
    close: () => transport.close(),
  }
}
