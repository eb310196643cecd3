// Starts the page.
import { render } from "preact";
import { Page } from "./page.js";
// After the styles of the page's packages, so that it wins.
import "./page.css";

const root = document.getElementById("page");
if (root) render(<Page />, root);
