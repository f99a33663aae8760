using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Pelican.Commands;

/// <summary>Standard output: data for programs and lines for people, in large pieces.</summary>
/// <param name="output">Standard output.</param>
internal sealed class ConsoleOutput(Stream output)
{
    private const int PieceBytes = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly ArrayBufferWriter<byte> _piece = new();

    /// <summary>Adds a line for people, made fit for a terminal.</summary>
    public void Line(string text)
    {
        lock (_lock)
        {
            _piece.Write(Encoding.UTF8.GetBytes(ConsoleText.Visible(text) + "\n"));
            FlushIf(_piece.WrittenCount >= PieceBytes);
        }
    }

    /// <summary>Adds text for programs, as it is.</summary>
    /// <param name="text">UTF-8.</param>
    public void Text(ReadOnlySpan<byte> text)
    {
        lock (_lock)
        {
            _piece.Write(text);
            FlushIf(_piece.WrittenCount >= PieceBytes);
        }
    }

    /// <summary>Adds a line of JSON.</summary>
    /// <param name="value">What to print.</param>
    /// <param name="type">From <c>PelicanJson.Output</c>.</param>
    public void Json<T>(T value, JsonTypeInfo<T> type)
    {
        lock (_lock)
        {
            _piece.Write(JsonSerializer.SerializeToUtf8Bytes(value, type));
            _piece.Write("\n"u8);
            FlushIf(_piece.WrittenCount >= PieceBytes);
        }
    }

    /// <summary>Writes what is left. A line that must be seen now is followed by this.</summary>
    public void Flush()
    {
        lock (_lock)
        {
            FlushIf(_piece.WrittenCount > 0);
        }
    }

    private void FlushIf(bool due)
    {
        if (due)
        {
            output.Write(_piece.WrittenSpan);
            _piece.ResetWrittenCount();
        }
    }
}
