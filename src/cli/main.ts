// Where the program starts, from sources and from the bundle. The single file starts in scripts/single-file/main.ts.

import { runProcess } from "./process.ts";

process.exitCode = await runProcess();
