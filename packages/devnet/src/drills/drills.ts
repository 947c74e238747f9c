/** A drill in full length: takes its command-line options, prints its figures, answers what it found wrong. */
export type Drill = { run(args: string[]): Promise<string[]> }

/** Every drill by its name on the command line. */
export const drills: Record<string, () => Promise<Drill>> = {
  authorization: () => import('./authorization.ts'),
  crashes: () => import('./crashes.ts'),
  restore: () => import('./restore.ts'),
  'rolling-restart': () => import('./rolling-restart.ts'),
  disorder: () => import('./disorder.ts'),
  hostile: () => import('./hostile.ts'),
  outages: () => import('./outages.ts'),
  overload: () => import('./overload.ts'),
  'personal-data': () => import('./personal-data.ts'),
}
