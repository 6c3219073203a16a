// @ts-check
/** The review screen: begins with the document that the page was loaded with. */
import { digitsPickReasons, onConflictReload } from "./dialogs.js";
import { Flow } from "./flow.js";
import { shownPart } from "./part.js";

const flow = new Flow(shownPart());
digitsPickReasons();
onConflictReload(() => location.assign(flow.desk.deciding.reloadUrl ?? location.href));
const wanted = new URLSearchParams(location.search).get("field"); // a lane opens the document at its field
void flow.start().then(() => {
  const entry = wanted ? flow.desk.store.get(wanted) : undefined;
  if (entry) flow.desk.focus(entry);
});
