import { z } from 'zod'

const secrets = z.array(z.string().min(16)).max(2).default([])

const table = z.strictObject({
  /** Sign the notifications of the built-in carrier; two while one replaces the other, none refuses all. */
  webhookSecrets: secrets,
})

const easypost = z.strictObject({
  apiKey: z.string().min(1),
  webhookSecrets: secrets,
  baseUrl: z.url().default('https://api.easypost.com'),
  /** Further hosts labels may be fetched from, beside those of EasyPost. */
  labelHosts: z.array(z.string()).default([]),
  /** Our service levels → EasyPost's (`{ "standard": "GroundAdvantage" }`). */
  services: z.record(z.string(), z.string()).default({}),
  /** The sender on labels. */
  from: z.strictObject({
    name: z.string().min(1),
    line1: z.string().min(1),
    line2: z.string().default(''),
    city: z.string().min(1),
    state: z.string().default(''),
    postalCode: z.string().default(''),
    country: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .optional(),
    phone: z.string().default(''),
  }),
})

const keys = z.strictObject({ table: table.optional(), easypost: easypost.optional() })

export type CarrierKeys = z.infer<typeof keys>
export type EasyPostKeys = z.infer<typeof easypost>

/** The variable's value as JSON; a mistake in it is reported by path and never shows a key. */
export const carrierKeys = () =>
  z
    .string()
    .default('{}')
    .transform((text, ctx): CarrierKeys => {
      let json: unknown
      try {
        json = JSON.parse(text)
      } catch {
        ctx.addIssue({ code: 'custom', message: 'is not JSON' })
        return z.NEVER
      }
      const result = keys.safeParse(json)
      if (result.success) return result.data
      for (const issue of result.error.issues)
        ctx.addIssue({ code: 'custom', message: `${issue.path.join('.')}: ${issue.message}` })
      return z.NEVER
    })
