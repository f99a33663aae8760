using System.Text;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>
/// Standard error: whole lines, and below them a display that is drawn over again and again. What is written is
/// made fit for a terminal here, and freed of secrets.
/// </summary>
/// <param name="output">Standard error.</param>
/// <param name="redactor">Takes secrets out of a text.</param>
internal sealed class ConsoleMessages(Stream output, Redactor redactor)
{
    private const string EraseToEndOfLine = "\e[K";
    private const string EraseToEndOfScreen = "\e[J";

    private readonly Lock _lock = new();
    private int _shownLines;

    /// <summary>Writes one line, in one piece.</summary>
    public void Line(string text)
    {
        string line = ConsoleText.Visible(redactor.Redact(text));
        lock (_lock)
        {
            Write(EraseShown() + line + "\n");
            _shownLines = 0;
        }
    }

    /// <summary>Tells of something that did not stop the command.</summary>
    public void Warning(string text) => Line("Warning: " + text);

    /// <summary>Replaces the display.</summary>
    /// <param name="lines">Already cut to the width of the terminal; empty to take the display away.</param>
    public void Show(IReadOnlyList<string> lines)
    {
        lock (_lock)
        {
            // Erasing first would flicker: it is done only when lines go away.
            StringBuilder frame = new(_shownLines > lines.Count ? EraseShown() : ToFirstShownLine());
            for (int i = 0; i < lines.Count; i++)
            {
                frame.Append(i == 0 ? "" : "\n").Append(lines[i]).Append(EraseToEndOfLine);
            }

            Write(frame.ToString());
            _shownLines = lines.Count;
        }
    }

    private string EraseShown() => _shownLines == 0 ? "" : ToFirstShownLine() + EraseToEndOfScreen;

    private string ToFirstShownLine() => _shownLines switch
    {
        0 => "",
        1 => "\r",
        _ => $"\r\e[{_shownLines - 1}A",
    };

    private void Write(string text)
    {
        try
        {
            output.Write(Encoding.UTF8.GetBytes(text));
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Standard error is closed or gone, or nobody reads it and the command is to end: there is nobody left to tell.
        }
    }
}
