"""The comments of the SQL files become the comments on the objects."""

from pattern_sync.database.comments import comments_on
from pattern_sync.database.definitions import load_definitions, split_statements

SCRIPT = """-- What the file is about.
--
-- More of it.

-- Whether it's so, (by) default and
-- otherwise.
--
-- Why it is done this way.
CREATE OR REPLACE FUNCTION pattern_sync.is_so(
    amount numeric(10, 4), known boolean DEFAULT false, OUT verdict boolean
)
RETURNS boolean LANGUAGE sql AS $$
    -- no words of a thing
    SELECT true
$$;

CREATE OR REPLACE FUNCTION pattern_sync.silent()
RETURNS void LANGUAGE sql AS $$ SELECT $$;

-- A table.
CREATE TABLE pattern_sync.things (
    id      BIGINT PRIMARY KEY CHECK (id > 0),
    took_ms DOUBLE PRECISION -- of the whole
);

-- Not ours.
CREATE TABLE somebody_elses (id BIGINT);
"""


def test_the_paragraph_right_above_an_object_becomes_its_comment() -> None:
    assert list(comments_on(split_statements(SCRIPT))) == [
        (
            "COMMENT ON FUNCTION pattern_sync.is_so(amount numeric(10, 4), known boolean, OUT verdict boolean)"
            " IS 'Whether it''s so, (by) default and otherwise.';"
        ),
        "COMMENT ON TABLE pattern_sync.things IS 'A table.';",
        "COMMENT ON COLUMN pattern_sync.things.took_ms IS 'of the whole';",
    ]


def test_the_printed_script_sets_the_comments_too() -> None:
    functions = load_definitions().functions
    assert (
        "COMMENT ON FUNCTION pattern_sync.request(signature text) IS 'Request another look at one pattern" in functions
    )
    assert "COMMENT ON TABLE pattern_sync.refusals IS 'The quarantine: " in functions
