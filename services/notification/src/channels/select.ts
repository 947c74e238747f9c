import { ConfigError } from '@haat/kit/config'
import type { NotificationConfig } from '../config.ts'
import type { ChannelName } from '../domain/names.ts'
import type { Outbound } from '../outbound.ts'
import { dev } from './dev.ts'
import { mailgun } from './mailgun.ts'
import type { Provider } from './provider.ts'
import { sendgrid } from './sendgrid.ts'
import { smtp } from './smtp.ts'
import { twilio } from './twilio.ts'
import { webPush } from './web-push.ts'

/** What each channel sends by; a channel that is not configured is missing, e-mail never is. */
export type Providers = { email: Provider } & Partial<Record<ChannelName, Provider>>

/** The providers a configuration names. E-mail that goes nowhere has to be asked for: by EMAIL_PROVIDER=dev or the mailbox. */
export function selectProviders(config: NotificationConfig, outbound: Outbound): Providers {
  const hasMailbox = config.MAILBOX_PORT !== undefined
  const from = config.MAIL_FROM
  const mailers: { [name: string]: Provider | undefined } = {
    smtp: config.SMTP_URL ? smtp({ url: config.SMTP_URL, from }) : undefined,
    sendgrid: config.SENDGRID_KEY ? sendgrid({ key: config.SENDGRID_KEY, url: config.SENDGRID_URL, from }) : undefined,
    mailgun:
      config.MAILGUN_KEY && config.MAILGUN_DOMAIN
        ? mailgun({ key: config.MAILGUN_KEY, domain: config.MAILGUN_DOMAIN, url: config.MAILGUN_URL, from })
        : undefined,
    dev: hasMailbox || config.EMAIL_PROVIDER === 'dev' ? dev : undefined,
  }
  const email = config.EMAIL_PROVIDER
    ? mailers[config.EMAIL_PROVIDER]
    : Object.values(mailers).find((mailer) => mailer !== undefined)
  if (!email)
    throw new ConfigError('notification', [
      'no way to send e-mail: set SMTP_URL, SENDGRID_KEY, or MAILGUN_KEY and MAILGUN_DOMAIN; for development MAILBOX_PORT',
    ])

  const { SMS_PROVIDER_KEY: smsKey, SMS_FROM: smsFrom, VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY } = config
  const sms = smsKey && smsFrom ? twilio({ key: smsKey, url: config.TWILIO_URL, from: smsFrom }) : undefined
  const push =
    publicKey && VAPID_PRIVATE_KEY
      ? webPush({ publicKey, privateKey: VAPID_PRIVATE_KEY, subject: config.VAPID_SUBJECT, outbound })
      : undefined
  return {
    email,
    ...(sms ? { sms } : hasMailbox && { sms: dev }),
    ...(push && { push }),
  }
}
