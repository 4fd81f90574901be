/* How the search ranks what it finds: answers of the guides first, then tutorials, then the reference. */
var Scorer = {
  score: ([page, title, anchor, description, score, file, kind]) =>
    score + (page === "changelog" ? -10 : !page.includes("/") ? 6 : page.startsWith("gallery/") ? 2 : 0)
      + (kind === "title" && anchor ? 15 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
