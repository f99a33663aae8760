using System.Text;

namespace Pelican.Commands;

/// <summary>Lays texts out in rows and columns.</summary>
internal static class ConsoleColumns
{
    private const int Gap = 2;

    /// <summary>Names beside one another, in rows, as many as fit.</summary>
    /// <param name="names">Fit for a terminal.</param>
    /// <param name="width">Columns of the terminal.</param>
    public static IEnumerable<string> Fill(IReadOnlyList<string> names, int width)
    {
        int cell = names.Count == 0 ? 1 : names.Max(ConsoleText.Width) + Gap;
        int perRow = Math.Max(1, width / cell);
        return names.Chunk(perRow).Select(row => Row(row, [.. Enumerable.Repeat(cell, row.Length)]));
    }

    /// <summary>A table: each column as wide as its widest cell.</summary>
    /// <param name="rows">All of the same length.</param>
    public static IEnumerable<string> Table(IReadOnlyList<string[]> rows)
    {
        if (rows.Count == 0)
        {
            return [];
        }

        int[] cells = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => ConsoleText.Width(row[column])) + Gap)];
        return rows.Select(row => Row(row, cells));
    }

    private static string Row(string[] texts, int[] cells)
    {
        StringBuilder row = new();
        for (int i = 0; i < texts.Length; i++)
        {
            row.Append(texts[i]);
            row.Append(' ', i == texts.Length - 1 ? 0 : cells[i] - ConsoleText.Width(texts[i]));
        }

        return row.ToString();
    }
}
