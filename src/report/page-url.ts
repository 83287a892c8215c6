/** Where a reader finds a documentation page of Microsoft's that the tables name by its path in the sources of the documentation. */

const DRIVERS = "https://learn.microsoft.com/windows-hardware/drivers";

const FOLDERS: readonly (readonly [prefix: string, url: string])[] = [
  ["wdk-ddi-src/content/", `${DRIVERS}/ddi/`],
  ["windows-driver-docs-pr/", `${DRIVERS}/`],
];

/** What is no such path is returned as it is. */
export function pageUrl(page: string): string {
  for (const [prefix, url] of FOLDERS) {
    if (page.startsWith(prefix)) return url + page.slice(prefix.length).replace(/\.md$/, "");
  }
  return page;
}
