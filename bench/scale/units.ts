// Figures as a table's cells. Pure.

export const mega = (value: number) => value / 1e6;
export const megabytes = (value: number) => `${mega(value).toFixed(0)} MB`;
export const kilobytes = (value: number) => `${(value / 1e3).toFixed(0)} KB`;
export const bytes = (value: number) => `${value.toFixed(0)} B`;
export const seconds = (value: number) => `${value.toFixed(1)} s`;
export const milliseconds = (value: number) => `${value.toFixed(0)} ms`;
export const microseconds = (value: number) => `${value.toFixed(0)} us`;
export const count = (value: number) => value.toLocaleString("en-US");
export const short = (value: number) => (value >= 1_000 ? `${value / 1_000}k` : String(value));
