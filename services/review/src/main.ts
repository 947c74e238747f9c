import { run } from '@haat/kit/run'
import { loadConfig } from './config.ts'
import { startReview } from './service.ts'

await run('review', loadConfig, startReview)
