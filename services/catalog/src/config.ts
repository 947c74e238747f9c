import { address, broker, defineConfig, flag, grpcServer, int, mongo } from '@haat/kit/config'
import { z } from 'zod'
import { defaultOfferWeights, offerWeights } from './domain/offers.ts'

export const loadConfig = defineConfig('catalog', {
  ...grpcServer,
  ...mongo,
  ...broker,
  VENDOR_ADDR: address('vendor'),
  MAX_IMAGES_PER_PRODUCT: int(10, 1),
  /** What each part of an offer's score weighs: `{"price":4,"rating":3,"stock":2,"delivery":1}`. */
  OFFER_WEIGHTS_JSON: z
    .string()
    .default(JSON.stringify(defaultOfferWeights))
    .transform((text, ctx) => {
      const weights = offerWeights(text)
      if (!weights) ctx.addIssue({ code: 'custom', message: 'is not a JSON object of weights above 0' })
      return weights ?? z.NEVER
    }),
  /** Where images are kept: `disk` (one instance) or `s3` (any object store that speaks S3). */
  MEDIA_DRIVER: z.enum(['disk', 's3']).default('disk'),
  /** disk: the directory. */
  MEDIA_DIR: z.string().default('.data/media'),
  /** disk: the port that takes uploads and serves images; 0 takes a free one. */
  MEDIA_PORT: int(8082),
  /** disk: signs upload addresses; without it a new key is made at every start. */
  MEDIA_SIGNING_KEY: z.string().min(32, 'must have at least 32 characters').optional(),
  /** What image addresses begin with: the CDN, the bucket, or (disk, by default) this process. */
  MEDIA_PUBLIC_URL: z.string().optional(),
  MEDIA_MAX_UPLOAD_BYTES: int(10 * 1024 * 1024, 1),
  MEDIA_UPLOAD_TTL_MINUTES: int(30, 1),
  S3_BUCKET: z.string().optional(),
  S3_REGION: z.string().default('us-east-1'),
  /** Unset: Amazon's own; MinIO: `http://minio:9000`. */
  S3_ENDPOINT: z.string().optional(),
  /** The store's address for browsers, when it differs from S3_ENDPOINT. */
  S3_PUBLIC_ENDPOINT: z.string().optional(),
  /** Bucket in the path instead of the host name, as MinIO wants it. */
  S3_FORCE_PATH_STYLE: flag(true),
  /** Without both, the SDK's own chain finds credentials. */
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
})

export type CatalogConfig = ReturnType<typeof loadConfig>
