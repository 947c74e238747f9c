import { address, broker, defineConfig, flag, grpcServer, int, postgres, secrets } from '@haat/kit/config'
import { z } from 'zod'

const seconds = (fallback: string) =>
  z
    .string()
    .regex(/^\d+(,\d+)*$/)
    .default(fallback)
    .transform((list) => list.split(',').map(Number))
const url = (fallback: string) => z.url().default(fallback)
const site = (fallback: string) => url(fallback).transform((text) => text.replace(/\/+$/, ''))

export const loadConfig = defineConfig('notification', {
  ...grpcServer,
  ...postgres,
  ...broker,
  VENDOR_ADDR: address('vendor'),
  PROFILE_ADDR: address('profile'),

  /** Signs unsubscribe links and seals webhooks' secrets; several by comma while one replaces another, the new one first. */
  NOTIFICATION_SECRET: secrets(),

  /** Which of the e-mail providers to use when several are configured; `dev` only stores. */
  EMAIL_PROVIDER: z.enum(['smtp', 'sendgrid', 'mailgun', 'dev']).optional(),
  MAIL_FROM: z.string().default('Haat <no-reply@haat.example>'),
  /** smtps://user:password@host:465 */
  SMTP_URL: z.string().optional(),
  SENDGRID_KEY: z.string().optional(),
  SENDGRID_URL: url('https://api.sendgrid.com'),
  MAILGUN_KEY: z.string().optional(),
  MAILGUN_DOMAIN: z.string().optional(),
  MAILGUN_URL: url('https://api.mailgun.net'),

  /** Twilio's `<account sid>:<auth token>`. */
  SMS_PROVIDER_KEY: z
    .string()
    .regex(/^[^:]+:[^:]+$/)
    .optional(),
  /** The number, or messaging service, that text messages come from. */
  SMS_FROM: z.string().optional(),
  TWILIO_URL: url('https://api.twilio.com'),

  /** VAPID keys of web push, base64url. */
  VAPID_PUBLIC_KEY: z.string().optional(),
  VAPID_PRIVATE_KEY: z.string().optional(),
  /** Whom push services ask about our messages: mailto: or https:. */
  VAPID_SUBJECT: z.string().default('mailto:push@haat.example'),

  /** The development mailbox: a page with every message, secrets included. Off unless set; 0 takes a free port. */
  MAILBOX_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  MAILBOX_HOST: z.string().default('127.0.0.1'),

  /** Where links in messages lead. */
  SITE_NAME: z.string().default('Haat'),
  STOREFRONT_URL: site('http://localhost:3000'),
  VENDOR_URL: site('http://localhost:3001'),
  /** Takes one-click unsubscriptions (RFC 8058) as `POST …?token=`; without it mails carry the page's link only. */
  UNSUBSCRIBE_POST_URL: z.url().optional(),
  /** Times in messages are told in this zone. */
  TIME_ZONE: z.string().default('Asia/Dhaka'),

  /** Pauses between the attempts of one message; one attempt more than pauses. */
  MESSAGE_RETRY_SECONDS: seconds('30,120,600,1800,7200,21600'),
  WEBHOOK_RETRY_SECONDS: seconds('10,60,600,3600,21600,86400'),
  /** Messages older than this are deleted. */
  MESSAGE_RETENTION_DAYS: int(180, 15),
  /** Lets webhooks and push go to http and to private addresses: development only. */
  ALLOW_PRIVATE_WEBHOOKS: flag(false),
})

export type NotificationConfig = ReturnType<typeof loadConfig>
