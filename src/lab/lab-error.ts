// What keeps a lab from being built or used; the message is for people.

export class LabError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string, cause?: unknown) {
    super(message, { cause });
    this.name = "LabError";
    this.hint = hint;
  }
}
