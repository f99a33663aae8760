using Pelican.Commands;

namespace Pelican.Tests.Commands;

public sealed class ConsoleColumnsTests
{
    [Test]
    public async Task Names_fill_rows()
    {
        await Assert.That(ConsoleColumns.Fill(["a", "bbbb", "c", "d"], 18)).IsEquivalentTo(["a     bbbb  c", "d"]);
    }

    [Test]
    public async Task A_name_wider_than_the_terminal_has_a_row_of_its_own()
    {
        await Assert.That(ConsoleColumns.Fill(["a", "bbbb"], 3)).IsEquivalentTo(["a", "bbbb"]);
    }

    [Test]
    public async Task A_table_is_aligned_and_wide_letters_count_twice()
    {
        await Assert.That(ConsoleColumns.Table([["数", "1", "x"], ["abc", "23", "y"]])).IsEquivalentTo(["数   1   x", "abc  23  y"]);
    }

    [Test]
    public async Task Nothing_is_laid_out_as_nothing()
    {
        await Assert.That(ConsoleColumns.Fill([], 80)).IsEmpty();
        await Assert.That(ConsoleColumns.Table([])).IsEmpty();
    }
}
