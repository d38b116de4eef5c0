import Messages
import Petitions

/// Signatures over time, as a chart and in words, no finer than the hours of the history that it is drawn from.
public struct GrowthChart: Sendable {
    private static let width = 640.0
    private static let height = 220.0
    private static let left = 60.0
    private static let bottom = 26.0
    private static let top = 10.0
    /// The most points that are drawn: more would not be visible.
    private static let pointLimit = 320

    private let points: [GrowthPoint]
    private let language: Language
    /// The most signatures at any point, at least 1.
    private let peak: Double
    /// True when every hour with an entry is among the points, so that nothing came in between them.
    private let isWhole: Bool

    /// A chart of `points`, oldest first; nil when there are none.
    public init?(_ points: [GrowthPoint], language: Language) {
        guard !points.isEmpty else { return nil }
        let step = (points.count + Self.pointLimit - 1) / Self.pointLimit
        // The newest point is always kept.
        self.points = points.reversed().enumerated().filter { $0.offset % step == 0 }.map(\.element).reversed()
        self.language = language
        isWhole = step == 1
        peak = Double(max(1, self.points.map(\.signatures).max() ?? 1))
    }

    private var first: GrowthPoint { points[0] }
    private var last: GrowthPoint { points[points.count - 1] }

    /// What the chart shows, in words.
    package var text: String {
        language.phrase(
            .growthText, language.minute(first.until), language.minute(last.until), language.number(last.signatures))
    }

    private func x(_ time: Int64) -> Double {
        // The chart begins at zero, one hour before the first point.
        let start = first.until - GrowthPoint.resolution
        return Self.left + (Self.width - Self.left - 8) * Double(time - start) / Double(last.until - start)
    }

    private func y(_ count: Double) -> Double {
        Self.height - Self.bottom - (Self.height - Self.bottom - Self.top) * count / peak
    }

    /// A round number, at most `peak`, for the line across the chart.
    private var tick: UInt64 {
        var step: UInt64 = 1
        while Double(step) * 10 <= peak { step *= 10 }
        return step * UInt64(peak / Double(step))
    }

    private static func text(_ value: Double) -> String { String((value * 10).rounded() / 10) }

    /// The chart as SVG. Its colour is the `color` of the element that contains it, or its own.
    public var svg: String {
        let floor = Self.text(y(0))
        var line = "M\(Self.text(x(first.until - GrowthPoint.resolution))) \(floor)"
        for point in points {
            // The count rises only within the hour, however long nothing came in before.
            if isWhole { line += "H\(Self.text(x(point.until - GrowthPoint.resolution)))" }
            line += "L\(Self.text(x(point.until))) \(Self.text(y(Double(point.signatures))))"
        }
        let area = line + "V\(floor)z"
        // For a chart within one day, the hours are of interest.
        let days = [first, last].map { language.day($0.until) }
        let ends = days[0] == days[1] ? [first, last].map { language.minute($0.until) } : days
        let (tickY, right) = (y(Double(tick)), Self.width - 8)
        let label = #"font-family="system-ui, sans-serif" font-size="13" fill="currentColor""#
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 220" class="chart" role="img" color="#0b5a6b">\
            <title>\(language.phrase(.growth).escapedForXML)</title><desc>\(text.escapedForXML)</desc>\
            <path d="M\(Self.left) \(Self.text(tickY))H\(right)M\(Self.left) \(floor)H\(right)" stroke="currentColor" \
            stroke-opacity=".4" fill="none"/>\
            <path d="\(area)" fill="currentColor" fill-opacity=".15"/>\
            <path d="\(line)" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linejoin="round"/>\
            <g \(label)><text x="\(Self.left - 8)" y="\(Self.text(tickY + 4))" text-anchor="end">\
            \(language.number(tick).escapedForXML)</text>\
            <text x="\(Self.left - 8)" y="\(floor)" text-anchor="end">0</text>\
            <text x="\(Self.left)" y="\(Self.height - 6)">\(ends[0].escapedForXML)</text>\
            <text x="\(right)" y="\(Self.height - 6)" text-anchor="end">\(ends[1].escapedForXML)</text></g></svg>
            """
    }
}
