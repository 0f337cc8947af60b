// The environment of the programs that a lab starts.

/** Not every user has the folders of ip and nft in PATH; they come after it. */
export function programEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH ?? "/usr/bin:/bin"}:/usr/sbin:/sbin` };
}
