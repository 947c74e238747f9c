import type { Log } from '@haat/kit/log'
import type { CatalogConfig } from '../config.ts'
import { openDiskStore } from './disk-store.ts'
import type { MediaStore } from './media-store.ts'
import { openS3Store } from './s3-store.ts'

/** The store that the configuration names. */
export async function createMediaStore(config: CatalogConfig, log: Log): Promise<MediaStore> {
  if (config.MEDIA_DRIVER === 'disk')
    return openDiskStore({
      dir: config.MEDIA_DIR,
      host: config.HOST,
      port: config.MEDIA_PORT,
      maxUploadBytes: config.MEDIA_MAX_UPLOAD_BYTES,
      ...(config.MEDIA_SIGNING_KEY ? { signingKey: config.MEDIA_SIGNING_KEY } : {}),
      ...(config.MEDIA_PUBLIC_URL ? { publicUrl: config.MEDIA_PUBLIC_URL } : {}),
      log,
    })
  const { S3_BUCKET: bucket, MEDIA_PUBLIC_URL: publicUrl } = config
  if (!bucket || !publicUrl) throw new Error('MEDIA_DRIVER=s3 needs S3_BUCKET and MEDIA_PUBLIC_URL')
  return openS3Store({
    bucket,
    publicUrl,
    region: config.S3_REGION,
    endpoint: config.S3_ENDPOINT,
    publicEndpoint: config.S3_PUBLIC_ENDPOINT,
    forcePathStyle: config.S3_FORCE_PATH_STYLE,
    accessKeyId: config.S3_ACCESS_KEY_ID,
    secretAccessKey: config.S3_SECRET_ACCESS_KEY,
  })
}
